-- A fire brigade's form (damkar), a row a fire: No, Tanggal (26-11-2025 or 26 November 2025), and clocks: Masuk, Berangkat, Sampai,
-- Selesai, Unit. An example of clocks beside a date: one that is earlier than the report is of the next day.
WITH days AS (
    SELECT
        *,
        coalesce(
            try_strptime(bulan(Tanggal), ['%d-%m-%Y', '%d/%m/%Y', '%d %m %Y']),
            -- Of none of these forms: said by its line.
            strptime(Tanggal, '%d-%m-%Y')
        ) AS day
    FROM rows
    WHERE Tanggal IS NOT NULL AND Masuk IS NOT NULL
), clocks AS (
    SELECT
        line,
        concat('damkar-', strftime(day, '%Y%m%d'), '-', code(No)) AS ticket,
        coalesce(code(Unit), 'unit-1') AS unit,
        'damkar' AS opd,
        'damkar' AS source,
        day,
        clock(Masuk) AS masuk,
        clock(Berangkat) AS berangkat,
        clock(Sampai) AS sampai,
        clock(Selesai) AS selesai
    FROM days
), fires AS (
    SELECT
        * EXCLUDE (masuk, berangkat, sampai, selesai),
        day + to_seconds(masuk) AS masuk,
        day + to_seconds(CASE WHEN berangkat < masuk THEN berangkat + 86400 ELSE berangkat END) AS berangkat,
        day + to_seconds(CASE WHEN sampai < masuk THEN sampai + 86400 ELSE sampai END) AS sampai,
        day + to_seconds(CASE WHEN selesai < masuk THEN selesai + 86400 ELSE selesai END) AS selesai
    FROM clocks
)
SELECT 'ticket.opened' AS type, masuk AS time, ticket, 'kebakaran' AS category, source, line FROM fires
UNION ALL BY NAME
SELECT 'ticket.unit_dispatched' AS type, berangkat AS time, ticket, opd, unit, source, line FROM fires
UNION ALL BY NAME
SELECT 'ticket.unit_arrived' AS type, sampai AS time, ticket, opd, unit, source, line FROM fires
UNION ALL BY NAME
SELECT 'ticket.unit_available' AS type, selesai AS time, ticket, opd, unit, source, line FROM fires
UNION ALL BY NAME
SELECT 'ticket.closed' AS type, selesai AS time, ticket, source, line FROM fires
