-- The calls of the Anonymous Bank (1999; Guedj and Mandelbaum, Technion): a row a call, with its clocks and durations.
-- An example of a table of calls. What there is to know stands in README.md beside this file.
WITH calls AS (
    SELECT
        line,
        concat("vru+line", '.', call_id) AS call,
        "type" AS queue,
        nullif(customer_id, '0') AS caller,
        nullif(server, 'NO_SERVER') AS seat,
        outcome,
        strptime(date, '%y%m%d') AS day,
        clock(vru_entry) AS came,
        -- Never queued: answered, or hung up, straight from the voice-response unit.
        clock(coalesce(nullif(q_start, '0:00:00'), vru_exit)) AS clock,
        seconds(q_time) AS waited,
        seconds(ser_time) AS spoken
    FROM rows
    WHERE outcome <> 'PHANTOM'
), moments AS (
    SELECT
        *,
        -- A clock long before the call came is of the next day; within a minute of it, two clocks differ.
        zone(
            day + to_seconds(CASE WHEN clock < came - 60 THEN clock + 86400 ELSE greatest(clock, came) END), 'Asia/Jerusalem'
        ) AS offered
    FROM calls
)
SELECT 'call.offered' AS type, offered AS time, call, queue, caller, 'queue' AS clock, 'anonymous-bank' AS source, line
FROM moments
UNION ALL BY NAME
SELECT
    CASE outcome WHEN 'AGENT' THEN 'call.answered' WHEN 'HANG' THEN 'call.abandoned' ELSE outcome END AS type,
    offered + to_seconds(waited) AS time, call, seat, 'anonymous-bank' AS source, line
FROM moments
UNION ALL BY NAME
SELECT 'call.ended' AS type, offered + to_seconds(waited + spoken) AS time, call, 'anonymous-bank' AS source, line
FROM moments
WHERE outcome = 'AGENT'
