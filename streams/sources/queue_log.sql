-- A queue_log that an exchange keeps in a database (extconfig.conf: queue_log => mysql,asterisk,queue_log), or an export of it: a
-- row a line of the log, with the columns time, callid, queuename, agent, event and data1 to data5. Followed by id with --follow.
-- An example of rows that say different things. `time` may be local date and time or seconds since 1970.
--
-- A queue_log in a file is better read by `ingest asterisk`, which also knows what an exchange writes while it shuts down.
WITH log AS (
    SELECT
        line,
        "time",
        upper(event) AS verb,
        callid AS call,
        nullif(queuename, 'NONE') AS queue,
        nullif(agent, 'NONE') AS seat,
        data1, data2, data3, data4
    FROM rows
)
SELECT
    'call.offered' AS type, "time", call, queue, 'queue' AS clock, line,
    -- Who calls from inside the exchange.
    CASE WHEN regexp_full_match(data2, '[0-9]{2,5}') THEN 'internal' END AS direction,
    CASE WHEN NOT regexp_full_match(data2, '[0-9]{2,5}') THEN data2 END AS caller
FROM log
WHERE verb = 'ENTERQUEUE'
UNION ALL BY NAME
SELECT 'call.answered' AS type, "time", call, queue, seat, line
FROM log
WHERE verb = 'CONNECT'
UNION ALL BY NAME
SELECT
    'call.ended' AS type, "time", call, queue, seat, line, data2 AS talk_seconds,
    CASE verb WHEN 'COMPLETECALLER' THEN 'caller' ELSE 'seat' END AS "by"
FROM log
WHERE verb IN ('COMPLETECALLER', 'COMPLETEAGENT')
UNION ALL BY NAME
SELECT 'call.abandoned' AS type, "time", call, queue, line
FROM log
WHERE verb = 'ABANDON'
UNION ALL BY NAME
SELECT
    'call.overflowed' AS type, "time", call, queue, line,
    CASE verb WHEN 'EXITWITHTIMEOUT' THEN 'timeout' WHEN 'EXITWITHKEY' THEN 'key' ELSE 'empty' END AS reason
FROM log
WHERE verb IN ('EXITWITHTIMEOUT', 'EXITWITHKEY', 'EXITEMPTY', 'LEAVEEMPTY')
UNION ALL BY NAME
SELECT 'call.transferred' AS type, "time", call, queue, seat, line
FROM log
WHERE verb IN ('TRANSFER', 'BLINDTRANSFER', 'ATTENDEDTRANSFER')
UNION ALL BY NAME
SELECT
    CASE
        WHEN verb IN ('ADDMEMBER', 'AGENTLOGIN', 'AGENTCALLBACKLOGIN') THEN 'operator.logged_in'
        WHEN verb IN ('REMOVEMEMBER', 'AGENTLOGOFF', 'AGENTCALLBACKLOGOFF') THEN 'operator.logged_out'
        WHEN verb IN ('PAUSE', 'PAUSEALL') THEN 'operator.paused'
        WHEN verb IN ('UNPAUSE', 'UNPAUSEALL') THEN 'operator.resumed'
    END AS type,
    "time", seat, line,
    CASE WHEN verb NOT IN ('PAUSEALL', 'UNPAUSEALL') THEN queue END AS queue,
    CASE WHEN verb IN ('PAUSE', 'PAUSEALL') THEN data1 END AS reason
FROM log
WHERE seat IS NOT NULL
    AND verb IN (
        'ADDMEMBER', 'AGENTLOGIN', 'AGENTCALLBACKLOGIN', 'REMOVEMEMBER', 'AGENTLOGOFF', 'AGENTCALLBACKLOGOFF',
        'PAUSE', 'PAUSEALL', 'UNPAUSE', 'UNPAUSEALL'
    )
UNION ALL BY NAME
SELECT
    'operator.ring_no_answer' AS type, "time", call, queue, seat, line,
    -- Milliseconds, alone in this log.
    data1::DOUBLE / 1000 AS ring_seconds
FROM log
WHERE verb = 'RINGNOANSWER'
UNION ALL BY NAME
SELECT 'exchange.restarted' AS type, "time", line
FROM log
WHERE verb = 'QUEUESTART'
