package org.backplane.gdbstub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineDebugger;
import org.backplane.board.api.MachineDebugger.Stop;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One gdb at one machine: the commands of the remote protocol, in all-stop mode. The thread is the vCPU.
 *
 * <p><b>Guarantees.</b> The machine is taken hold of with the first packet that makes sense, so that who merely connects stops nothing. However the session
 * ends (detach, a broken connection, a stub that is stopped), the points are taken away and the guest goes on; only a kill ends the machine. A packet
 * that is malformed gets an error, an unknown one the empty answer that the protocol wants.
 *
 * <p><b>Threading.</b> All of the protocol happens on the thread in {@link #run}, which takes events from a queue: packets from the thread that reads the socket,
 * stops from the machine's, which must not wait for a network.
 */
final class Session implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);
    private static final int EFAULT = 14, EINVAL = 22;

    /** Packets that may wait; the reader waits for room. */
    private static final int WAITING = 16;

    /** Bits of QEMU's sstep setting: single steps at all, and without interrupts. */
    private static final int STEP_ENABLE = 1, STEP_NO_IRQ = 2;

    /** What happens to a session. */
    private sealed interface Event {
        record Packet(String data) implements Event {}

        record Stopped(Stop stop) implements Event {}

        record Ended(int status) implements Event {}

        record Closed() implements Event {}
    }

    private final Machine machine;
    private final Connection connection;
    private final MonitorConsole console;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Semaphore room = new Semaphore(WAITING);
    private final Points points = new Points();
    private MachineDebugger debugger;
    private RegisterLayout layout;
    private GuestMemory memory;
    private String targetXml;

    /** The guest runs, and gdb waits for a stop reply. */
    private boolean running;

    /** The last stop, for {@code ?}. */
    private String lastStop = "";

    private boolean tellsBreakpoints;
    private int stepBits = STEP_ENABLE | STEP_NO_IRQ;
    private boolean ended, over;

    /** Guards {@link #monitoring}. */
    private final Object monitorLock = new Object();

    /** The thread that executes a command of {@code monitor}, or null. */
    private Thread monitoring;

    Session(Machine machine, Connection connection, MonitorConsole console) {
        this.machine = machine;
        this.connection = connection;
        this.console = console;
    }

    /** Serves the connection until it ends. */
    @Override
    public void run() {
        Thread reader = new Thread(this::read, Thread.currentThread().getName() + "-reader");
        reader.setDaemon(true);
        reader.start();
        try {
            while (!over) handle(events.take());
        } catch (IOException e) {
            LOG.debug("machine {}: gdb's connection broke", machine.name(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            connection.close();
            if (debugger != null) debugger.close();
            // The reader may wait for room; nobody takes from the queue any more.
            room.release(WAITING);
        }
    }

    /** Ends the session, from any thread, whatever it is at. */
    void close() {
        connection.close();
        interruptMonitor();
        events.add(new Event.Closed());
    }

    /** The machine ended; from any thread. */
    void machineEnded(int status) {
        events.add(new Event.Ended(status));
    }

    /** A command of {@code monitor} that runs now is asked to stop: it may wait for what cannot come while gdb holds the machine. */
    private boolean interruptMonitor() {
        synchronized (monitorLock) {
            if (monitoring != null) monitoring.interrupt();
            return monitoring != null;
        }
    }

    private void read() {
        try {
            for (String p = connection.read(); p != null; p = connection.read()) {
                if (p.equals(Connection.INTERRUPT) && interruptMonitor()) continue;
                room.acquire();
                events.add(new Event.Packet(p));
            }
        } catch (IOException e) {
            LOG.debug("machine {}: gdb's connection broke", machine.name(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        interruptMonitor();
        events.add(new Event.Closed());
    }

    private void handle(Event event) throws IOException {
        switch (event) {
            case Event.Closed c -> over = true;
            case Event.Ended e -> ended(e.status());
            case Event.Stopped s -> stopped(s.stop());
            case Event.Packet p -> {
                room.release();
                packet(p.data());
            }
        }
    }

    private void ended(int status) throws IOException {
        lastStop = String.format("W%02x", status & 0xff);
        ended = true;
        if (!running) return;
        connection.send(lastStop);
        over = true;
    }

    /** There is no guest any more; gdb hears of it when it asks or wants it to run. */
    private void afterwards(String p) throws IOException {
        boolean wants = p.startsWith("vCont;") || p.matches("[?cCsSkD].*");
        connection.send(wants ? lastStop : error(EINVAL));
        over = wants;
    }

    private void stopped(Stop stop) throws IOException {
        lastStop = stopReply(stop);
        if (running) connection.send(lastStop);
        running = false;
    }

    private void packet(String p) throws IOException {
        if (p.equals(Connection.INTERRUPT)) {
            if (running) debugger.interrupt();
            return;
        }
        if (ended) {
            afterwards(p);
            return;
        }
        String answer;
        try {
            if (debugger == null) attach();
            answer = answer(p);
        } catch (BoardException e) {
            LOG.warn("machine {}: gdb: {}", machine.name(), e.getMessage());
            over = true;
            return;
        } catch (RuntimeException e) {
            // A number that is none, a part that is missing, a point that cannot be.
            LOG.debug("machine {}: gdb: packet {}", machine.name(), p, e);
            answer = error(EINVAL);
        }
        if (answer != null) connection.send(answer);
        if (p.equals("QStartNoAckMode")) connection.stopAcknowledging();
    }

    private void attach() throws BoardException {
        debugger = machine.debug(stop -> events.add(new Event.Stopped(stop)));
        layout = RegisterLayout.of(machine.cpu(0));
        memory = new GuestMemory(machine, debugger);
        lastStop = "T05thread:01;";
        LOG.info("machine {}: gdb is attached", machine.name());
    }

    private static String error(int number) {
        return String.format("E%02x", number);
    }

    // ---- commands ----

    /** The answer to a packet, null for none now. */
    private String answer(String p) throws IOException {
        if (p.isEmpty()) return "";
        String rest = p.substring(1);
        switch (p.charAt(0)) {
            case '?':
                return lastStop;
            case 'g':
                return readAll();
            case 'G':
                return writeAll(rest);
            case 'p':
                return readOne(number(rest));
            case 'P':
                return writeOne(rest);
            case 'm':
                return readMemory(rest);
            case 'M', 'X':
                return writeMemory(rest, p.charAt(0) == 'X');
            case 'Z', 'z':
                return point(p.charAt(0) == 'Z', rest);
            case 'c', 's':
                if (!rest.isEmpty()) setRip(number(rest));
                return go(p.charAt(0) == 's');
            case 'C', 'S':
                return go(p.charAt(0) == 'S');
            case 'H':
                return "OK";
            case 'T':
                return number(rest) == 1 ? "OK" : error(EINVAL);
            case 'D':
                over = true;
                return "OK";
            case 'k':
                kill();
                return null;
            case 'q':
                return query(rest);
            case 'Q':
                return set(rest);
            case 'v':
                return verbose(rest);
            default:
                return "";
        }
    }

    private void kill() {
        over = true;
        machine.stop();
    }

    private String verbose(String rest) throws IOException {
        if (rest.equals("Cont?")) return "vCont;c;C;s;S";
        if (rest.startsWith("Cont;")) {
            // With one thread the first action that fits it is all there is.
            char action = rest.charAt(5);
            return switch (action) {
                case 'c', 'C' -> go(false);
                case 's', 'S' -> go(true);
                default -> error(EINVAL);
            };
        }
        if (rest.startsWith("Kill;")) {
            connection.send("OK");
            kill();
            return null;
        }
        return "";
    }

    private String go(boolean step) {
        running = true;
        if (step) debugger.step(0, (stepBits & STEP_NO_IRQ) != 0);
        else debugger.resume();
        return null;
    }

    private String stopReply(Stop stop) {
        if (stop.reason() == MachineDebugger.Reason.PAUSED) return "T02thread:01;";
        boolean breakpoint = stop.reason() == MachineDebugger.Reason.BREAKPOINT;
        // gdb compares the reported breakpoint with its EIP, and goes on by itself if it knows none there.
        boolean named = !breakpoint || tellsBreakpoints && machine.cpu(0).rip == stop.address();
        return "T05" + (named ? points.reason(stop) : "") + "thread:01;";
    }

    // ---- registers ----

    private String readAll() {
        var s = machine.cpu(0);
        StringBuilder all = new StringBuilder();
        for (Register r : layout.registers()) all.append(r.read(s));
        return all.toString();
    }

    private String readOne(long n) {
        return n >= 0 && n < layout.registers().size() ? layout.registers().get((int) n).read(machine.cpu(0)) : error(EINVAL);
    }

    private String writeAll(String hex) {
        checkHex(hex);
        if (hex.length() != 2 * layout.registers().stream().mapToInt(Register::bytes).sum()) return error(EINVAL);
        boolean[] good = {true};
        debugger.change(0, s -> {
            int at = 0;
            for (Register r : layout.registers()) {
                good[0] &= r.write(s, hex.substring(at, at += 2 * r.bytes()));
            }
        });
        return good[0] ? "OK" : error(EINVAL);
    }

    private String writeOne(String rest) {
        int eq = rest.indexOf('=');
        long n = number(rest.substring(0, eq));
        String hex = rest.substring(eq + 1);
        checkHex(hex);
        if (n < 0 || n >= layout.registers().size()) return error(EINVAL);
        boolean[] good = {false};
        debugger.change(0, s -> good[0] = layout.registers().get((int) n).write(s, hex));
        return good[0] ? "OK" : error(EINVAL);
    }

    private void setRip(long rip) {
        debugger.change(0, s -> s.rip = rip);
    }

    private static void checkHex(String hex) {
        if (!hex.matches("(?:[0-9a-fA-F]{2})+")) throw new IllegalArgumentException("no hexadecimal bytes: " + hex);
    }

    // ---- memory ----

    private String readMemory(String rest) {
        int comma = rest.indexOf(',');
        byte[] bytes = memory.read(number(rest.substring(0, comma)), number(rest.substring(comma + 1)));
        return bytes.length == 0 ? error(EFAULT) : HexFormat.of().formatHex(bytes);
    }

    private String writeMemory(String rest, boolean binary) {
        int comma = rest.indexOf(','), colon = rest.indexOf(':');
        long address = number(rest.substring(0, comma)), length = number(rest.substring(comma + 1, colon));
        String data = rest.substring(colon + 1);
        byte[] bytes = binary ? unescape(data) : HexFormat.of().parseHex(data);
        if (bytes.length != length) return error(EINVAL);
        return memory.write(address, bytes) ? "OK" : error(EFAULT);
    }

    /** In binary data a brace announces a byte with bit 5 turned over. */
    private static byte[] unescape(String data) {
        StringBuilder t = new StringBuilder();
        for (int i = 0; i < data.length(); i++) t.append(data.charAt(i) == '}' ? (char) (data.charAt(++i) ^ 0x20) : data.charAt(i));
        return t.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private String point(boolean set, String rest) {
        String[] part = rest.split("[,;]");
        int type = (int) number(part[0]);
        if (!Points.known(type)) return "";
        long address = number(part[1]), kind = number(part[2]);
        if (!set) points.remove(type, address, kind);
        else if (!points.add(type, address, kind)) return "OK";
        try {
            points.tell(debugger);
        } catch (RuntimeException e) {
            if (set) points.remove(type, address, kind);
            throw e;
        }
        return "OK";
    }

    // ---- queries ----

    private String query(String q) throws IOException {
        if (q.startsWith("Supported")) {
            tellsBreakpoints = q.contains("swbreak+") && q.contains("hwbreak+");
            return String.format(
                    "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+", Connection.PACKET_SIZE);
        }
        if (q.startsWith("Xfer:features:read:target.xml:")) return description(q.substring(q.lastIndexOf(':') + 1));
        if (q.startsWith("Xfer:")) return "E00";
        if (q.startsWith("Rcmd,")) return monitor(new String(HexFormat.of().parseHex(q.substring(5)), StandardCharsets.UTF_8));
        if (q.startsWith("ThreadExtraInfo,")) return hex("CPU#0");
        return switch (q) {
            case "C" -> "QC01";
            case "fThreadInfo" -> "m01";
            case "sThreadInfo" -> "l";
            case "Attached" -> "1";
            case "qemu.sstepbits" -> "ENABLE=1,NOIRQ=2";
            case "qemu.sstep" -> String.format("0x%x", stepBits);
            case "qemu.PhyMemMode" -> memory.physical() ? "1" : "0";
            default -> "";
        };
    }

    private String description(String range) {
        if (targetXml == null) targetXml = layout.xml();
        int comma = range.indexOf(',');
        int from = (int) Math.min(number(range.substring(0, comma)), targetXml.length());
        int to = (int) Math.min(from + Math.min(number(range.substring(comma + 1)), Connection.PACKET_SIZE / 2), targetXml.length());
        return (to == targetXml.length() ? "l" : "m") + targetXml.substring(from, to);
    }

    /** {@code monitor}: the shell's commands; their output goes in pieces. */
    private String monitor(String line) throws IOException {
        synchronized (monitorLock) {
            monitoring = Thread.currentThread();
        }
        String text;
        try {
            text = console.execute(machine, line);
        } finally {
            synchronized (monitorLock) {
                monitoring = null;
                // An interrupt was for the command.
                Thread.interrupted();
            }
        }
        for (int at = 0; at < text.length(); at += Connection.PACKET_SIZE / 16) {
            connection.send("O" + hex(text.substring(at, Math.min(text.length(), at + Connection.PACKET_SIZE / 16))));
        }
        return "OK";
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    }

    private String set(String q) {
        if (q.equals("StartNoAckMode")) return "OK";
        if (q.startsWith("qemu.sstep=")) {
            stepBits = (int) number(q.substring(11).replaceFirst("^0x", ""));
            return "OK";
        }
        if (q.startsWith("qemu.PhyMemMode:")) {
            memory.setPhysical(q.endsWith(":1"));
            return "OK";
        }
        return "";
    }

    private static long number(String hex) {
        return Long.parseUnsignedLong(hex, 16);
    }
}
