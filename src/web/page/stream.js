// The live stream: connects again by itself, with longer and longer waits, and says what is to be told.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;

export class Stream extends EventTarget {
  constructor(path) {
    super();
    this.url = new URL(path, location.href);
    this.url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.url.hash = '';
    this.wait = FIRST_WAIT;
    this.up = false;
    this.lastMessage = 0;
    this.wanted = null;
    addEventListener('online', () => this.hurry());
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.hurry(); });
  }

  open() {
    clearTimeout(this.timer);
    this.retryAt = 0;
    const socket = this.socket = new WebSocket(this.url);
    socket.onopen = () => {
      this.up = true;
      if (this.wanted) this.say({ anew: true });
      this.lastMessage = performance.now();
      this.dispatchEvent(new Event('up'));
    };
    socket.onmessage = ({ data }) => {
      this.lastMessage = performance.now();
      this.wait = FIRST_WAIT; // only data proves that the daemon is well again
      let message;
      try { message = JSON.parse(data); } catch { return; }
      this.dispatchEvent(new CustomEvent('message', { detail: message }));
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.up = false;
      const wait = this.wait * (0.75 + Math.random() / 2); // spread, so that many pages don't come back at once
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
      this.retryAt = performance.now() + wait;
      this.timer = setTimeout(() => this.open(), wait);
      this.dispatchEvent(new Event('down'));
    };
  }

  /** From now on those alone are told of. `anew`: in full once more, also those that were wanted before. */
  want(wanted, anew = false) {
    if (!anew && JSON.stringify(wanted) === JSON.stringify(this.wanted)) return;
    this.wanted = wanted;
    if (this.up) this.say({ anew });
  }

  say({ anew }) {
    this.socket?.send(JSON.stringify({ ...this.wanted, anew }));
  }

  /** A connection can be dead without being closed; whoever notices says so. */
  restart() {
    const socket = this.socket;
    if (!socket) return;
    socket.onmessage = null;
    socket.close();
    socket.onclose();
  }

  hurry() {
    if (this.retryAt) this.open();
  }
}
