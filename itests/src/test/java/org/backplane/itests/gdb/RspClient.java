package org.backplane.itests.gdb;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** gdb's side of the remote protocol, byte by byte. */
final class RspClient implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 30_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    RspClient(int port) throws IOException {
        socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(PATIENCE_MILLIS);
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** Sends a packet and answers the answer. */
    String ask(String packet) throws IOException {
        send(packet);
        return answer();
    }

    void send(String packet) throws IOException {
        int sum = packet.chars().sum() & 0xff;
        raw(String.format("$%s#%02x", packet, sum));
    }

    /** Sends bytes as they are. */
    void raw(String bytes) throws IOException {
        out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    /** The next packet's data, which is acknowledged; "closed" if the other side ended the connection. */
    String answer() throws IOException {
        int c = in.read();
        while (c >= 0 && c != '$') c = in.read();
        if (c < 0) return "closed";
        StringBuilder data = new StringBuilder();
        for (c = in.read(); c >= 0 && c != '#'; c = in.read()) data.append((char) c);
        in.read();
        in.read();
        raw("+");
        return data.toString();
    }

    /** The next byte, -1 at the end. */
    int next() throws IOException {
        return in.read();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
