-- The answers to the statutory survey (SKM, PermenPANRB 14/2017), a row a respondent: Tanggal, Jam, and U1 to U9 from 1 to 4, which
-- may have their word behind them ("4 - Sangat baik").
SELECT
    'survey.answered' AS type,
    strptime(bulan(concat_ws(' ', replace(replace(Tanggal, '/', '-'), '-', ' '), coalesce(Jam, '12:00'))), '%d %m %Y %H:%M') AS time,
    regexp_extract(U1, '^[0-9]+') AS u1,
    regexp_extract(U2, '^[0-9]+') AS u2,
    regexp_extract(U3, '^[0-9]+') AS u3,
    regexp_extract(U4, '^[0-9]+') AS u4,
    regexp_extract(U5, '^[0-9]+') AS u5,
    regexp_extract(U6, '^[0-9]+') AS u6,
    regexp_extract(U7, '^[0-9]+') AS u7,
    regexp_extract(U8, '^[0-9]+') AS u8,
    regexp_extract(U9, '^[0-9]+') AS u9,
    'skm' AS source,
    line
FROM rows
