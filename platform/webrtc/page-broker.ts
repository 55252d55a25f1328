/**
 * Connections to other browsers, made by the page because only a page may. Their channels go to the transfer worker as soon as
 * they exist, so that no byte of a file is ever here.
 *
 * There are no servers: only addresses of this device in its own network are gathered.
 *
 * @module
 */
/** What a worker asks its page for, with a number of its own for each connection. */
export interface PageBroker {
  /** Begins a connection. Gives its channel, which is handed over. */
  open(id: number): Promise<RTCDataChannel>;
  /** Says as SDP what the other side needs to know: of an offer, or of the answer to `offer`. Addresses are gathered first. */
  describe(id: number, offer: string | null): Promise<string>;
  /** Takes the answer to this side's offer, as SDP. */
  accept(id: number, answer: string): Promise<void>;
  /** Ends a connection. */
  close(id: number): Promise<void>;
}

/** Connections of one page at once; more than a worker asks for. */
const MAX_CONNECTIONS = 16;
/** Names of a network's addresses are made by asking the network; those that take longer are left out. */
const GATHER_MS = 2_000;
/** Both sides make the channel themselves, so that it can be handed over before it opens. */
const CHANNEL: RTCDataChannelInit = { negotiated: true, id: 0, ordered: true };

/** One page's connections. */
export class PeerConnections {
  readonly #open = new Map<number, RTCPeerConnection>();

  /** Gives the new connection's channel, which can be handed over in this turn only. */
  open(id: number): RTCDataChannel {
    if (this.#open.size >= MAX_CONNECTIONS || this.#open.has(id)) throw new Error("too many connections");
    const connection = new RTCPeerConnection({ iceServers: [] });
    this.#open.set(id, connection);
    return connection.createDataChannel("warp", CHANNEL);
  }

  /** See PageBroker. */
  async describe(id: number, offer: string | null): Promise<string> {
    const connection = this.#connection(id);
    const gathered = allGathered(connection);
    if (offer !== null) await connection.setRemoteDescription({ type: "offer", sdp: offer });
    await connection.setLocalDescription();
    await gathered;
    return connection.localDescription?.sdp ?? "";
  }

  /** See PageBroker. */
  async accept(id: number, answer: string): Promise<void> {
    await this.#connection(id).setRemoteDescription({ type: "answer", sdp: answer });
  }

  close(id: number): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }

  /** Ends all. */
  closeAll(): void {
    for (const connection of this.#open.values()) connection.close();
    this.#open.clear();
  }

  #connection(id: number): RTCPeerConnection {
    const connection = this.#open.get(id);
    if (connection === undefined) throw new Error("no such connection");
    return connection;
  }
}

let answer: boolean | undefined;

/** True when this browser makes connections and lets a worker have their channels; tried out once. */
export function canConnectPeers(): boolean {
  answer ??= tryTransfer();
  return answer;
}

function tryTransfer(): boolean {
  if (typeof RTCPeerConnection === "undefined") return false;
  const { port1 } = new MessageChannel();
  let connection: RTCPeerConnection | undefined;
  try {
    connection = new RTCPeerConnection();
    const channel = connection.createDataChannel("warp", CHANNEL);
    port1.postMessage(channel, [channel]);
    return true;
  } catch {
    return false;
  } finally {
    port1.close();
    connection?.close();
  }
}

function allGathered(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    connection.addEventListener("icegatheringstatechange", () => {
      if (connection.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
