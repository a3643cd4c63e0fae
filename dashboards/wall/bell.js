// The page's one sound, made by the browser, and the button that says whether it can be heard.

const KEPT = "sound";
const TONES = [880, 660]; // hertz, one after the other
const LENGTH = 0.25; // seconds of each
const LOUD = 0.5;

// A browser may keep nothing for a page.
function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch (error) {
    return null;
  }
}

function keep(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch (error) {
    // then it is asked for again when the page is next opened
  }
}

export class Bell {
  // `words` has what the button says when the sound is off, on, and held back by the browser until somebody presses something.
  constructor(button, words) {
    this.button = button;
    this.words = words;
    this.isWanted = kept() === "on";
    this.player = null;
    if (this.isWanted) this.open();
    button.addEventListener("click", () => this.press());
    ["pointerdown", "keydown"].forEach((name) => addEventListener(name, ({ target }) => {
      if (this.isWanted && !button.contains(target)) this.player.resume();
    }));
    button.hidden = false;
    this.say();
  }

  isHeard() {
    return this.isWanted && this.player.state === "running";
  }

  open() {
    this.player = this.player || new (window.AudioContext || window.webkitAudioContext)();
    this.player.onstatechange = () => this.say();
    return this.player.resume();
  }

  // What is on but held back is let go by this very press; whoever turns it on hears it.
  press() {
    this.isWanted = !this.isHeard();
    keep(this.isWanted ? "on" : "off");
    if (this.isWanted) this.open().then(() => this.ring());
    this.say();
  }

  ring() {
    if (!this.isHeard()) return;
    const start = this.player.currentTime;
    const volume = this.player.createGain();
    volume.gain.setValueAtTime(0, start);
    volume.gain.linearRampToValueAtTime(LOUD, start + 0.02);
    volume.gain.setValueAtTime(LOUD, start + TONES.length * LENGTH - 0.1);
    volume.gain.linearRampToValueAtTime(0, start + TONES.length * LENGTH);
    volume.connect(this.player.destination);
    const tone = this.player.createOscillator();
    TONES.forEach((hertz, place) => tone.frequency.setValueAtTime(hertz, start + place * LENGTH));
    tone.connect(volume);
    tone.start(start);
    tone.stop(start + TONES.length * LENGTH);
  }

  say() {
    const state = this.isHeard() ? "on" : this.isWanted ? "held" : "off";
    this.button.textContent = this.words[state];
    this.button.dataset.state = state;
  }
}
