-- What a mapping may use beside DuckDB's own functions; streams/sources/README.md says how. Names with _ are not for mappings.
-- {zone} is the time zone of the centre. None of the sentences of error() says what stands in a cell.

-- A cell: without spaces round it, and NULL where it says in one of the usual ways that it says nothing.
CREATE MACRO _cell(v) AS CASE
    WHEN regexp_full_match(v, '(?i)[\s\x{a0}]*(-+|null|\\n|nan|nat|none|n/a|#n/a|0000-00-00.*|)[\s\x{a0}]*') THEN NULL
    ELSE regexp_replace(v, '^[\s\x{a0}]+|[\s\x{a0}]+$', '', 'g') END;

-- Text as a schema's code: accents off, and - for whatever no code can hold. A code stays as it is.
CREATE MACRO _letters(v) AS trim(regexp_replace(strip_accents(v), '[^A-Za-z0-9._:@/-]+', '-', 'g'), '._:@/-');
CREATE MACRO code(v) AS CASE
    WHEN trim(v::VARCHAR) = '' THEN NULL
    WHEN regexp_matches(strip_accents(v::VARCHAR), '[^\x00-\x7f]') OR length(_letters(v::VARCHAR)) NOT BETWEEN 1 AND 64
        THEN concat_ws('-', nullif(left(_letters(v::VARCHAR), 55), ''), 'x' || left(md5(v::VARCHAR), 7))
    ELSE _letters(v::VARCHAR) END;

-- A date with the name of a month, Indonesian or English, whole or short: its number in place of the name, and no day of the week.
CREATE MACRO _month(v, names, number) AS regexp_replace(v, '(?i)(^|[^a-z])(' || names || ')\.?($|[^a-z])', '\1' || number || '\3');
CREATE MACRO _weekday(v) AS regexp_replace(v, '(?i)^\s*(senin|sen|selasa|sel|rabu|rab|kamis|kam|jum.?at|jum|sabtu|sab|minggu|min|ahad|'
    'monday|mon|tuesday|tue|wednesday|wed|thursday|thu|friday|fri|saturday|sat|sunday|sun)(\.?\s*,\s*|\.?\s+)', '');
CREATE MACRO bulan(v) AS
    _month(_month(_month(_month(_month(_month(_month(_month(_month(_month(_month(_month(_weekday(v::VARCHAR),
    'januari|january|jan', '01'), 'februari|pebruari|february|feb|peb', '02'), 'maret|march|mar|mrt', '03'), 'april|apr', '04'),
    'mei|may', '05'), 'juni|june|jun', '06'), 'juli|july|jul', '07'), 'agustus|august|agust|agt|agu|ags|aug', '08'),
    'september|sept|sep', '09'), 'oktober|october|okt|oct', '10'), 'november|nopember|nov|nop', '11'),
    'desember|december|des|dec', '12');

-- Seconds since midnight of a time of day: 9:05, 09.05, 9:05:30, 9:05:30 PM, or a fraction of a day (0.38400463), as spreadsheets
-- keep one. 0.25 may be six in the morning or 25 minutes past midnight.
CREATE MACRO _split(v) AS
    list_sum(list_transform(string_split(v, ':'), lambda x, i: replace(x, ',', '.')::DOUBLE * [3600, 60, 1][i::INT]));
CREATE MACRO _half(v) AS epoch(strptime('1970-01-01 ' || regexp_replace(upper(v), '\s*([AP])\.?M\.?$', ' \1M'),
    ['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p']));
CREATE MACRO clock(v) AS CASE
    WHEN v IS NULL THEN NULL
    WHEN regexp_full_match(v::VARCHAR, '([01]?[0-9]|2[0-3])[:.][0-5][0-9]([:.][0-5][0-9]([.,][0-9]+)?)?')
        AND NOT regexp_full_match(v::VARCHAR, '0\.[0-9]{2}')
        THEN _split(regexp_replace(v::VARCHAR, '^([0-9]+)[:.]([0-9]+)(?:[:.](.+))?$', '\1:\2:0\3'))
    WHEN regexp_full_match(v::VARCHAR, '(?i)(1[0-2]|0?[1-9]):[0-5][0-9](:[0-5][0-9])?\s*[ap]\.?m\.?') THEN _half(v::VARCHAR)
    WHEN regexp_full_match(v::VARCHAR, '0?[.,]([0-9]|[0-9]{3,})')
        THEN round(replace(v::VARCHAR, ',', '.')::DOUBLE * 86400, 3) % 86400
    ELSE error('clock: no time of day such as 9:05, 09:05:30 or 9:05 PM') END;

-- Seconds of a duration: 55, 55.5, 55,5, 0:55, 1:02:03, 12:02:23 AM (as spreadsheets show one), 1 jam 2 menit 3 detik, 90s.
CREATE MACRO _part(v, units) AS
    coalesce(replace(nullif(regexp_extract(v, '(?i)([0-9]+([.,][0-9]+)?)\s*(' || units || ')\b', 1), ''), ',', '.')::DOUBLE, 0);
CREATE MACRO seconds(v) AS CASE
    WHEN v IS NULL THEN NULL
    WHEN regexp_full_match(v::VARCHAR, '[0-9]{1,9}([.,][0-9]{1,2}|[.][0-9]{4,}|[.,][0-9]{3})?')
        THEN CASE WHEN regexp_full_match(v::VARCHAR, '[1-9][0-9]{0,2},[0-9]{3}')
             THEN error('seconds: a comma that may stand between thousands') ELSE replace(v::VARCHAR, ',', '.')::DOUBLE END
    WHEN regexp_full_match(v::VARCHAR, '[0-9]{1,4}:[0-5]?[0-9]')
        THEN _split('0:' || v::VARCHAR)
    WHEN regexp_full_match(v::VARCHAR, '[0-9]{1,4}:[0-5]?[0-9]:[0-5]?[0-9]([.,][0-9]+)?')
        THEN _split(v::VARCHAR)
    WHEN regexp_full_match(v::VARCHAR, '(?i)(1[0-2]|0?[1-9]):[0-5][0-9](:[0-5][0-9])?\s*[ap]\.?m\.?')
        THEN _half(v::VARCHAR)
    WHEN regexp_full_match(v::VARCHAR, '(?i)\s*([0-9]+([.,][0-9]+)?\s*(jam|hours?|hrs?|h|menit|mnt|minutes?|mins?|m|detik|dtk|seconds?|secs?|s)\.?[\s,]*)+')
        THEN 3600 * _part(v::VARCHAR, 'jam|hours?|hrs?|h') + 60 * _part(v::VARCHAR, 'menit|mnt|minutes?|mins?|m')
             + _part(v::VARCHAR, 'detik|dtk|seconds?|secs?|s')
    ELSE error('seconds: no duration such as 55, 0:55, 1:02:03 or 55,5') END;

-- A local time as a moment: in the centre's zone, or in the one that a name says (WIB, WITA, WIT, UTC, +07:00, Asia/Jakarta).
CREATE MACRO _offset(name) AS regexp_full_match(upper(name), '(UTC|GMT)?[+-][0-9]{1,2}(:?[0-9]{2})?');
CREATE MACRO _ahead(name) AS CASE WHEN _offset(name)
    THEN to_minutes((CASE WHEN contains(name, '-') THEN -1 ELSE 1 END)
         * (60 * regexp_extract(name, '[+-]([0-9]{1,2})', 1)::INT + coalesce(nullif(regexp_extract(name, '[+-][0-9]{1,2}:?([0-9]{2})$', 1), '')::INT, 0)))
    ELSE INTERVAL 0 SECOND END;
CREATE MACRO _zone(name) AS CASE upper(name) WHEN 'WIB' THEN 'Asia/Jakarta' WHEN 'WITA' THEN 'Asia/Makassar'
    WHEN 'WIT' THEN 'Asia/Jayapura' WHEN 'Z' THEN 'UTC' WHEN 'GMT' THEN 'UTC' ELSE CASE WHEN _offset(name) THEN 'UTC' ELSE name END END;
CREATE MACRO _said_zone(v) AS
    regexp_matches(v, '(?i)[0-9]:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?\s*(UTC|GMT|Z|WIB|WITA|WIT|(UTC|GMT)?[+-][0-9]{1,2}(:?[0-9]{2})?)$');
CREATE MACRO _local(v, name) AS timezone(_zone(trim(name)), v::TIMESTAMP - _ahead(trim(name)));
CREATE MACRO zone(v) AS CASE
        WHEN typeof(v) = 'TIMESTAMP WITH TIME ZONE' THEN v::TIMESTAMPTZ
        WHEN typeof(v) = 'VARCHAR' AND _said_zone(v::VARCHAR) THEN _iso(v::VARCHAR)
        ELSE timezone('{zone}', v::TIMESTAMP) END,
    (v, name) AS CASE
        WHEN typeof(v) = 'TIMESTAMP WITH TIME ZONE' THEN v::TIMESTAMPTZ
        WHEN typeof(v) = 'VARCHAR' AND _said_zone(v::VARCHAR) THEN _iso(v::VARCHAR)
        ELSE _local(v, coalesce(name, '{zone}')) END;

-- What the column time may be when it is text: ISO 8601, with a zone behind it or in the centre's; infinity where it is neither.
CREATE MACRO _zoned(v) AS regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(v,
    '(?i)\s*WIB$', '+07'), '(?i)\s*WITA$', '+08'), '(?i)\s*WIT$', '+09'), '(?i)\s*(UTC|GMT|Z)$', '+00'),
    '(?i)(:[0-9]{2}(?:[.,][0-9]+)?)\s*(?:UTC|GMT)?([+-])([0-9])(:[0-9]{2})?$', '\1\20\3\4'),
    '(?i)(:[0-9]{2}(?:[.,][0-9]+)?)\s*(?:UTC|GMT)?([+-][0-9]{2}):?([0-9]{2})?$', '\1\2\3');
CREATE MACRO _minutes(v) AS regexp_replace(regexp_replace(v, '([+-][0-9]{2})([0-9]{2})$', '\1:\2'), ',([0-9]+)', '.\1');
CREATE MACRO _iso(v) AS CASE WHEN v IS NULL THEN NULL ELSE coalesce(CASE
    WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') THEN try_cast(v || ' 00:00:00' AS TIMESTAMPTZ)
    WHEN _said_zone(v) THEN try_cast(_minutes(_zoned(v)) AS TIMESTAMPTZ)
    WHEN regexp_full_match(v, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ Tt][0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?')
        THEN try_cast(replace(v, ',', '.') AS TIMESTAMPTZ)
    END, TIMESTAMPTZ 'infinity') END;

-- Microseconds since 1970 of a moment; NULL for one that never was, 0 for text that is none.
CREATE MACRO _never(m) AS m IS NULL OR m IN (TIMESTAMPTZ '1970-01-01 00:00:00+00', TIMESTAMPTZ '1970-01-01 00:00:00',
    TIMESTAMPTZ '0001-01-01 00:00:00');
CREATE MACRO _micros(m) AS CASE WHEN _never(m) THEN NULL WHEN isfinite(m) THEN epoch_us(m) ELSE 0 END;
CREATE MACRO _written(v) AS _micros(CASE
    WHEN regexp_full_match(v, '[0-9]{1,11}([.,][0-9]+)?') THEN to_timestamp(replace(v, ',', '.')::DOUBLE)
    WHEN regexp_matches(v, '^(1900-01-0?1|1899-12-3[01])([ T]0?0:00(:00(\.0+)?)?)?$') THEN NULL
    ELSE _iso(v) END);
