-- The answers to a Google form, a row a respondent: Timestamp, and a column for each question of the five dimensions, answered from
-- "1" or "Sangat Tidak Setuju" to "5" or "Sangat Setuju". Put your own questions in place of these; no other column is read.
WITH answers AS (
    SELECT
        *,
        try_strptime(
            Timestamp, ['%d/%m/%Y %H:%M:%S', '%d/%m/%Y %H.%M.%S', '%Y/%m/%d %I:%M:%S %p']
        ) AS moment,
        map {
            'sangat tidak setuju': '1', 'tidak setuju': '2', 'netral': '3', 'ragu-ragu': '3', 'cukup': '3',
            'setuju': '4', 'sangat setuju': '5'
        } AS words
    FROM rows
)
SELECT
    'survey.answered' AS type,
    -- Of none of these forms: said by its line.
    coalesce(moment::VARCHAR, Timestamp) AS time,
    coalesce(words[lower("1. Saya memahami layanan 112")], "1. Saya memahami layanan 112") AS "pemahaman_program.1",
    coalesce(words[lower("2. Bantuan tepat sasaran")], "2. Bantuan tepat sasaran") AS "tepat_sasaran.1",
    coalesce(words[lower("3. Bantuan datang tepat waktu")], "3. Bantuan datang tepat waktu") AS "tepat_waktu.1",
    coalesce(words[lower("4. Tujuan laporan tercapai")], "4. Tujuan laporan tercapai") AS "tercapainya_tujuan.1",
    coalesce(words[lower("5. Ada perubahan nyata")], "5. Ada perubahan nyata") AS "perubahan_nyata.1",
    'survey' AS source,
    line
FROM answers
