-- The monthly table of a regency's 112, a row a call, as it is kept by hand: No, Tanggal (5 Januari 2026), Jam (15.04 or 15:04:05),
-- Zona (WIB), No. Telepon, Tunggu and Durasi (0:55), Status, Kategori, Instansi, Petugas. A total in the last rows gives no event.
WITH days AS (
    SELECT *, strptime(bulan(Tanggal), '%d %m %Y') AS day
    FROM rows
    WHERE Jam IS NOT NULL
), calls AS (
    SELECT
        line,
        concat('112-', strftime(day, '%Y%m%d'), '-', code("No")) AS call,
        zone(day + to_seconds(clock(Jam)), Zona) AS came,
        seconds(Tunggu) AS waited,
        seconds(Durasi) AS spoken,
        lower(regexp_replace(Status, '\s+', ' ', 'g')) AS status,
        "No. Telepon" AS caller,
        Petugas AS seat,
        Kategori AS category,
        Instansi AS opd
    FROM days
)
SELECT 'call.offered' AS type, came AS time, call, '112' AS queue, caller, line FROM calls
UNION ALL BY NAME
SELECT
    CASE
        WHEN status IN ('dijawab', 'terjawab', 'selesai', 'answered') THEN 'call.answered'
        WHEN status IN ('tidak dijawab', 'tidak terjawab', 'abandon', 'abandoned', 'putus', 'missed') THEN 'call.abandoned'
        -- A word that nobody has thought of is said by its line.
        ELSE status
    END AS type,
    came + to_seconds(coalesce(waited, 0)) AS time, call, seat, line
FROM calls
UNION ALL BY NAME
SELECT 'call.ended' AS type, came + to_seconds(coalesce(waited, 0) + spoken) AS time, call, line
FROM calls
WHERE status IN ('dijawab', 'terjawab', 'selesai', 'answered')
UNION ALL BY NAME
SELECT
    'ticket.opened' AS type, came + to_seconds(coalesce(waited, 0)) AS time, call AS ticket, call,
    code(category) AS category, line
FROM calls
WHERE category IS NOT NULL AND opd IS NOT NULL
UNION ALL BY NAME
SELECT
    'ticket.sent' AS type, came + to_seconds(coalesce(waited, 0) + coalesce(spoken, 0)) AS time, call AS ticket,
    code(opd) AS opd, line
FROM calls
WHERE category IS NOT NULL AND opd IS NOT NULL
