package org.backplane.gdbstub;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Packets on a socket: {@code $data#checksum}, acknowledged by {@code +} or refused by {@code -} until both agree to leave that out. Text is kept one
 * character a byte.
 *
 * <p><b>Threading.</b> One thread reads, any thread writes.
 */
final class Connection implements AutoCloseable {
    /** The longest packet taken, told to gdb in hexadecimal. */
    static final int PACKET_SIZE = 0x4000;

    /** What {@link #read} answers for an interrupt (Ctrl-C), which is a byte of its own. */
    static final String INTERRUPT = "\u0003";

    private static final int CTRL_C = 3;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private volatile boolean acknowledges = true;
    private String last = "";

    Connection(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** From the next packet on nothing is acknowledged any more. */
    void stopAcknowledging() {
        acknowledges = false;
    }

    /** The next packet's data, or {@link #INTERRUPT}; null when the other side is gone. Whatever makes no sense is passed over. */
    String read() throws IOException {
        for (int c = in.read(); c >= 0; c = in.read()) {
            switch (c) {
                case CTRL_C -> {
                    return INTERRUPT;
                }
                case '-' -> resend();
                case '$' -> {
                    String data = packet();
                    if (data != null) return data;
                }
                default -> {}
            }
        }
        return null;
    }

    /** The rest of a packet; null if it is broken, which the other side has been told. */
    private String packet() throws IOException {
        StringBuilder data = new StringBuilder();
        int sum = 0, c = in.read();
        while (c >= 0 && c != '#') {
            if (c == '$') { // what came so far was cut off
                data.setLength(0);
                sum = 0;
            } else {
                sum += c;
                if (data.length() <= PACKET_SIZE) data.append((char) c);
            }
            c = in.read();
        }
        int high = Character.digit(in.read(), 16), low = Character.digit(in.read(), 16);
        boolean good = data.length() <= PACKET_SIZE && (!acknowledges || (high << 4 | low) == (sum & 0xff));
        if (acknowledges) raw(good ? "+" : "-");
        return good ? data.toString() : null;
    }

    void send(String data) throws IOException {
        int sum = 0;
        for (int i = 0; i < data.length(); i++) sum += data.charAt(i);
        raw(String.format("$%s#%02x", data, sum & 0xff));
    }

    private synchronized void resend() throws IOException {
        if (acknowledges && !last.isEmpty()) raw(last);
    }

    private synchronized void raw(String text) throws IOException {
        if (text.startsWith("$")) last = text;
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone either way.
        }
    }
}
