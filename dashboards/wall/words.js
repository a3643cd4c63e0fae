// The page's own words; what the boards say stands in the boards.

const WORDS = {
  id: {
    blind: (since, why) => `BUTA sejak ${since} – ${why}`,
    prometheus: "Prometheus tidak menjawab",
    page: "halaman ini tidak tersambung ke pemantau",
    old: (time) => `LAMA ${time}`,
    updated: "Diperbarui",
    loading: "Menunggu Prometheus …",
    failed: "Kueri ini ditolak Prometheus",
    unsupported: "Papan ini memuat hal yang tidak digambar halaman ini:",
    missing: "Papan ini tidak ada.",
    worse: "Memburuk",
    back: "Data kembali",
    all: "Semua",
    unknown: "tidak dikenal",
    boards: "Papan",
    since: (time) => `Tanpa data sebelum ${time}`,
    begun: "Peringatan baru",
    sound: { on: "Suara nyala", held: "Suara: tekan di sini", off: "Suara mati" },
  },
  en: {
    blind: (since, why) => `BLIND since ${since} – ${why}`,
    prometheus: "Prometheus does not answer",
    page: "this page is not connected to the monitor",
    old: (time) => `OLD ${time}`,
    updated: "Updated",
    loading: "Waiting for Prometheus …",
    failed: "Prometheus refused this query",
    unsupported: "This board holds what this page does not draw:",
    missing: "There is no such board.",
    worse: "Worse",
    back: "Data is back",
    all: "All",
    unknown: "not known",
    boards: "Boards",
    since: (time) => `No data before ${time}`,
    begun: "New alert",
    sound: { on: "Sound on", held: "Sound: press here", off: "Sound off" },
  },
};

export function languageOf(tags) {
  const tag = tags.find((text) => text.startsWith("lang:")) || "lang:id";
  return tag.slice("lang:".length);
}

export function wordsIn(language) {
  return WORDS[language];
}
