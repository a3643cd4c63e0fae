-- Levels of river gauges, a row a reading: pos, waktu (26-11-2025 08:00), tma in centimetres (70,5 or 80 or 0.9 m; - is a gap).
SELECT
    'gauge.read' AS type,
    strptime(waktu, '%d-%m-%Y %H:%M') AS time,
    pos AS gauge,
    tma AS level_centimetres,
    'river' AS source,
    line
FROM rows
WHERE tma IS NOT NULL
