package org.backplane.gdbstub;

import java.net.InetSocketAddress;
import org.backplane.board.api.BoardException;

/** Where to wait for gdb. */
record ListenAddress(String host, int port) {
    /** Who can reach the port can read and change the guest: without a host it is this host only. */
    static final String LOOPBACK = "127.0.0.1";

    static final ListenAddress DEFAULT = new ListenAddress(LOOPBACK, 1234);

    /**
     * @param text {@code tcp::PORT}, {@code tcp:HOST:PORT}, with {@code ,server} and the like behind, as QEMU's users write it, ignored. Port 0 takes a free one.
     */
    static ListenAddress parse(String text) throws BoardException {
        String t = text.replaceFirst(",.*", "");
        int colon = t.lastIndexOf(':');
        if (t.startsWith("tcp:") && colon >= 4) {
            String host = t.substring(4, colon);
            String port = t.substring(colon + 1);
            if (port.matches("[0-9]{1,5}") && Integer.parseInt(port) <= 0xffff) {
                return new ListenAddress(host.isEmpty() ? LOOPBACK : host.replaceAll("[\\[\\]]", ""), Integer.parseInt(port));
            }
        }
        throw new BoardException("gdb: '" + text + "' is not tcp::PORT or tcp:HOST:PORT");
    }

    InetSocketAddress socket() throws BoardException {
        InetSocketAddress a = new InetSocketAddress(host, port);
        if (a.isUnresolved()) throw new BoardException("gdb: there is no host '" + host + "'");
        return a;
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
