-- Asterisk's call detail records, as cdr_csv writes them: Master.csv, which has no header line. A row for each seat that rang; the
-- rows of a call have one uniqueid (and linkedid, with newcdrcolumns=yes). An example of rows that are grouped.
--
-- Columns: 0 accountcode, 1 src, 2 dst, 3 dcontext, 4 clid, 5 channel, 6 dstchannel, 7 lastapp, 8 lastdata, 9 start, 10 answer, 11 end,
-- 12 duration, 13 billsec, 14 disposition, 15 amaflags, 16 uniqueid, 17 userfield, 18 linkedid.
--
-- Where there is a queue_log, take that: these records do not know a caller who waited while no seat rang, and where the dialplan
-- answers before Queue() (an announcement), they say that moment for the seat's, so that waiting comes out too short.
WITH legs AS (
    SELECT
        line,
        coalesce(column18, column16) AS call,
        column1 AS caller,
        split_part(column8, ',', 1) AS queue,
        -- PJSIP/11-0000002a is one channel of the seat PJSIP/11.
        regexp_replace(column6, '-[0-9a-f]+(;[12])?$', '') AS seat,
        zone(column9) AS began,
        zone(column10) AS answered,
        zone(column11) AS over,
        column14 = 'ANSWERED' AND column6 IS NOT NULL AS spoke
    FROM rows
    WHERE column7 = 'Queue'
), calls AS (
    SELECT
        call,
        any_value(caller) AS caller,
        arg_min(queue, began) AS queue,
        min(began) AS began,
        -- Of a leg that began after the caller's channel was answered, its beginning.
        min(greatest(answered, began)) FILTER (WHERE spoke) AS answered,
        arg_min(seat, began) FILTER (WHERE spoke) AS seat,
        max(over) AS over,
        list(line) AS line
    FROM legs
    GROUP BY call
)
SELECT 'call.offered' AS type, began AS time, call, queue, caller, 'asterisk-cdr' AS source, line FROM calls
UNION ALL BY NAME
SELECT 'call.answered' AS type, answered AS time, call, seat, 'asterisk-cdr' AS source, line FROM calls
UNION ALL BY NAME
SELECT
    CASE WHEN answered IS NULL THEN 'call.abandoned' ELSE 'call.ended' END AS type,
    over AS time, call, 'asterisk-cdr' AS source, line
FROM calls
