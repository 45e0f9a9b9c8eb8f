package org.backplane.gdbstub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineDebugger;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A command of gdb's {@code monitor} that waits for what does not come holds neither the session nor its end. */
@Timeout(60)
class MonitorTest {
    private final CountDownLatch blocked = new CountDownLatch(1), interrupted = new CountDownLatch(1);
    private Socket gdb;
    private Session session;
    private Thread served;

    @BeforeEach
    void connect() throws IOException {
        MachineDebugger debugger = proxy(MachineDebugger.class, Map.of());
        Machine machine = proxy(Machine.class, Map.of("name", "m", "debug", debugger, "cpu", new CpuState()));
        try (ServerSocket port = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            gdb = new Socket(port.getInetAddress(), port.getLocalPort());
            gdb.setSoTimeout(20_000);
            session = new Session(machine, new Connection(port.accept()), this::block);
        }
        served = new Thread(session, "gdb-m");
        served.setDaemon(true);
        served.start();
    }

    @AfterEach
    void end() throws IOException {
        gdb.close();
    }

    /** An object that answers methods of these names, and null to others. */
    private static <T> T proxy(Class<T> type, Map<String, Object> answers) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, args) -> answers.get(method.getName())));
    }

    /** The shell: a command that waits for ever, and another. */
    private String block(Machine m, String line) {
        if (!line.equals("wait")) return line;
        blocked.countDown();
        try {
            new CountDownLatch(1).await();
            return "";
        } catch (InterruptedException e) {
            interrupted.countDown();
            return "interrupted";
        }
    }

    private void monitor(String line) throws IOException {
        send("qRcmd," + HexFormat.of().formatHex(line.getBytes(StandardCharsets.UTF_8)));
    }

    private void send(String data) throws IOException {
        int sum = 0;
        for (int i = 0; i < data.length(); i++) sum += data.charAt(i);
        gdb.getOutputStream().write(String.format("$%s#%02x", data, sum & 0xff).getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The data of the next packet; output of a command as text. */
    private String answer() throws IOException {
        InputStream in = gdb.getInputStream();
        int c = in.read();
        while (c != '$') c = in.read();
        StringBuilder data = new StringBuilder();
        for (c = in.read(); c != '#'; c = in.read()) data.append((char) c);
        in.readNBytes(2);
        gdb.getOutputStream().write('+');
        return data.length() > 1 && data.charAt(0) == 'O' && data.charAt(1) != 'K'
                ? new String(HexFormat.of().parseHex(data.substring(1)), StandardCharsets.UTF_8)
                : data.toString();
    }

    @Test
    void ctrlCEndsTheCommandAndTheSessionGoesOn() throws Exception {
        monitor("wait");
        blocked.await();
        gdb.getOutputStream().write(3);
        assertEquals("interrupted", answer());
        assertEquals("OK", answer());
        monitor("info");
        assertEquals("info", answer());
        assertEquals("OK", answer());
        send("qC");
        assertEquals("QC01", answer());
        assertTrue(served.isAlive());
    }

    @Test
    void aConnectionThatBreaksEndsTheCommandAndTheSession() throws Exception {
        monitor("wait");
        blocked.await();
        gdb.close();
        assertTrue(interrupted.await(20, TimeUnit.SECONDS), "the command waits on");
        served.join(20_000);
        assertFalse(served.isAlive());
    }

    @Test
    void aStubThatIsStoppedEndsTheCommandAndTheSession() throws Exception {
        monitor("wait");
        blocked.await();
        session.close();
        assertTrue(interrupted.await(20, TimeUnit.SECONDS), "the command waits on");
        served.join(20_000);
        assertFalse(served.isAlive());
    }
}
