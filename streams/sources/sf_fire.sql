-- San Francisco's fire department, calls for service (data.sfgov.org, ODC Public Domain): a row a unit that was sent.
-- An example of a table of dispatches. What there is to know stands in README.md beside this file.
WITH units AS (
    SELECT
        line,
        "Call Number" AS ticket,
        "Unit ID" AS unit,
        "Original Priority" AS priority,
        zone(strptime("Received DtTm", '%m/%d/%Y %I:%M:%S %p'), 'America/Los_Angeles') AS received,
        zone(strptime("Dispatch DtTm", '%m/%d/%Y %I:%M:%S %p'), 'America/Los_Angeles') AS dispatched,
        zone(strptime("On Scene DtTm", '%m/%d/%Y %I:%M:%S %p'), 'America/Los_Angeles') AS on_scene,
        zone(strptime("Available DtTm", '%m/%d/%Y %I:%M:%S %p'), 'America/Los_Angeles') AS available
    FROM rows
)
SELECT
    'ticket.opened' AS type, min(received) AS time, ticket, 'priority-' || any_value(priority) AS category,
    'sf-fire' AS source, list(line) AS line
FROM units
GROUP BY ticket
UNION ALL BY NAME
SELECT 'ticket.unit_dispatched' AS type, dispatched AS time, ticket, unit, 'sffd' AS opd, 'sf-fire' AS source, [line] AS line
FROM units
UNION ALL BY NAME
-- Says nothing of a unit that was cancelled on its way.
SELECT 'ticket.unit_arrived' AS type, on_scene AS time, ticket, unit, 'sffd' AS opd, 'sf-fire' AS source, [line] AS line
FROM units
UNION ALL BY NAME
-- Nor of one that is still out.
SELECT 'ticket.unit_available' AS type, available AS time, ticket, unit, 'sffd' AS opd, 'sf-fire' AS source, [line] AS line
FROM units
UNION ALL BY NAME
-- No row says it: a call is over when its last unit is available, and open as long as one is out.
SELECT 'ticket.closed' AS type, max(available) AS time, ticket, 'sf-fire' AS source, list(line) AS line
FROM units
GROUP BY ticket
HAVING count(available) = count(*)
