package org.backplane.itests.gdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.GuestProgram;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.Bundle;

/** The GDB stub at machines of the board, over its port. The guest counts at {@link #COUNTER}, in a loop at {@link #LOOP}. */
@InContainer
@Timeout(120)
class GdbStubIT {
    private static final long LOOP = 0x100020, BEHIND = LOOP + 6, COUNTER = LOOP + 9;
    private static final String SOURCE = """
            loop:
            FF 05 $counter  ; inc dword [counter]
            90              ; nop
            EB >loop        ; jmp loop
            counter:
            00 00 00 00
            """;

    private final List<Machine> machines = new ArrayList<>();
    private Path kernel;

    @AfterEach
    void stop() throws IOException {
        machines.forEach(Machine::stop);
        if (kernel != null) Files.delete(kernel);
    }

    private Machine create(String name, Map<String, String> options) throws Exception {
        if (kernel == null) {
            kernel = Files.createTempFile("counter", ".bin");
            Files.write(kernel, GuestProgram.multiboot(SOURCE));
        }
        Map<String, List<String>> config = new HashMap<>(Map.of("kernel", List.of(kernel.toString())));
        options.forEach((k, v) -> config.put(k, List.of(v)));
        Machine m = Osgi.service(Machines.class).create(name, config);
        machines.add(m);
        return m;
    }

    /** A machine that runs, with gdb's port open. */
    private Machine run(String name, int port) throws Exception {
        Machine m = create(name, Map.of("gdb", "tcp::" + port));
        m.start();
        return m;
    }

    private static int freePort() throws IOException {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        }
    }

    private static long count(Machine m) {
        byte[] b = m.readPhysical(COUNTER, 4);
        return b[0] & 0xff | (b[1] & 0xff) << 8 | (b[2] & 0xff) << 16 | (b[3] & 0xffL) << 24;
    }

    private static void awaitProgress(Machine m) throws InterruptedException {
        long from = count(m);
        for (int i = 0; count(m) == from; i++) {
            assertTrue(i < 1000, "the guest stands still");
            Thread.sleep(10);
        }
    }

    private static void assertStandsStill(Machine m) throws InterruptedException {
        long from = count(m);
        Thread.sleep(100);
        assertEquals(from, count(m));
        assertEquals(Machine.State.PAUSED, m.state());
    }

    private static String eip(RspClient gdb) throws IOException {
        String le = gdb.ask("p8");
        return le.substring(6, 8) + le.substring(4, 6) + le.substring(2, 4) + le.substring(0, 2);
    }

    @Test
    void breakpointStepRegisterAndMemory() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        try (RspClient gdb = new RspClient(port)) {
            assertTrue(gdb.ask("qSupported:swbreak+;hwbreak+").contains("qXfer:features:read+"));
            assertEquals("T05thread:01;", gdb.ask("?"));
            assertStandsStill(m);
            assertEquals("OK", gdb.ask("Z0," + Long.toHexString(BEHIND) + ",1"));
            assertEquals("T05swbreak:;thread:01;", gdb.ask("vCont;c"));
            assertEquals("00100026", eip(gdb));
            assertEquals("90eb", gdb.ask("m" + Long.toHexString(BEHIND) + ",2"), "no INT3 in the guest's memory");
            assertEquals("T05thread:01;", gdb.ask("vCont;s:1"));
            assertEquals("00100027", eip(gdb));
            assertEquals("OK", gdb.ask("M" + Long.toHexString(COUNTER) + ",4:00000070"));
            assertEquals("T05swbreak:;thread:01;", gdb.ask("c"));
            assertEquals("01000070", gdb.ask("m" + Long.toHexString(COUNTER) + ",4"));
            assertEquals("OK", gdb.ask("P0=78563412"), "EAX");
            assertEquals("78563412", gdb.ask("p0"));
            assertEquals(0x12345678, (int) m.cpu(0).gpr[0]);
            assertEquals("78563412", gdb.ask("g").substring(0, 8));
            assertEquals("E16", gdb.ask("pfff"));
            assertEquals("E16", gdb.ask("P0=12"));
        }
    }

    @Test
    void watchpointNamesTheAddress() throws Exception {
        int port = freePort();
        run("a", port);
        try (RspClient gdb = new RspClient(port)) {
            String at = Long.toHexString(COUNTER);
            assertEquals("OK", gdb.ask("Z2," + at + ",4"));
            assertEquals("T05watch:" + at + ";thread:01;", gdb.ask("vCont;c"));
            assertEquals("00100026", eip(gdb));
            assertEquals("OK", gdb.ask("z2," + at + ",4"));
            assertEquals("OK", gdb.ask("Z4," + Long.toHexString(COUNTER + 3) + ",1"));
            assertEquals("T05awatch:" + Long.toHexString(COUNTER + 3) + ";thread:01;", gdb.ask("vCont;c"));
        }
    }

    @Test
    void whoOnlyConnectsStopsNothingAndNonsenseIsAnsweredAndForgotten() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        try (RspClient gdb = new RspClient(port)) {
            awaitProgress(m);
            gdb.raw("hello$?#00"); // a wrong checksum
            assertEquals('-', gdb.next());
            awaitProgress(m);
            for (String bad : List.of("m", "mzz,4", "M10,4:zz", "Z0", "Z0,zz,1", "Z2,ffffffff80000000,4", "P0", "P0=xx", "G12", "X10,4:ab", "vCont;x", "qXfer:features:read:target.xml:")) {
                String answer = gdb.ask(bad);
                assertTrue(answer.startsWith("E"), bad + " is answered with " + answer);
            }
            for (String unknown : List.of("", "!", "qNothing", "QNothing", "vNothing", "Z9,0,1", "\u007f")) assertEquals("", gdb.ask(unknown));
            gdb.raw("$" + "m".repeat(100_000) + "#00");
            assertEquals("T05thread:01;", gdb.ask("?"), "still there");
        }
        awaitProgress(m);
    }

    @Test
    void aSecondGdbIsTurnedAwayAndTheFirstServedOn() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        try (RspClient gdb = new RspClient(port)) {
            assertEquals("T05thread:01;", gdb.ask("?"));
            try (RspClient second = new RspClient(port)) {
                assertEquals(-1, second.next());
            }
            assertEquals("QC01", gdb.ask("qC"));
            assertStandsStill(m);
        }
        awaitProgress(m);
    }

    @Test
    void whenTheConnectionBreaksTheGuestGoesOnWithoutItsPoints() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        try (RspClient gdb = new RspClient(port)) {
            gdb.ask("Z0," + Long.toHexString(LOOP) + ",1");
            gdb.ask("Z2," + Long.toHexString(COUNTER) + ",4");
            gdb.ask("vCont;c");
            assertStandsStill(m);
        }
        awaitProgress(m);
        try (RspClient gdb = attachAgain(port)) {
            assertEquals("OK", gdb.ask("D"));
        }
        awaitProgress(m);
    }

    /** The stub may not have noticed yet that the one before has gone. */
    private static RspClient attachAgain(int port) throws Exception {
        for (int i = 0; ; i++) {
            RspClient gdb = new RspClient(port);
            gdb.send("?");
            if (!gdb.answer().equals("closed")) return gdb;
            gdb.close();
            assertTrue(i < 100, "the port stays taken");
            Thread.sleep(20);
        }
    }

    @Test
    void interruptStopsAndSoDoesAPauseFromElsewhere() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        try (RspClient gdb = new RspClient(port)) {
            gdb.ask("?");
            gdb.send("vCont;c");
            awaitProgress(m);
            gdb.raw("\u0003");
            assertEquals("T02thread:01;", gdb.answer());
            assertStandsStill(m);
            gdb.send("vCont;c");
            awaitProgress(m);
            m.pause();
            assertEquals("T02thread:01;", gdb.answer());
        }
    }

    @Test
    void breakpointsAndWatchpointsStayWhenTheProcessorsCardsAreSwapped() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        try (RspClient gdb = new RspClient(port)) {
            gdb.ask("qSupported:swbreak+;hwbreak+");
            gdb.ask("Z1," + Long.toHexString(BEHIND) + ",1");
            for (String mmu : List.of("shadow", "direct")) {
                assertEquals("T05hwbreak:;thread:01;", gdb.ask("vCont;c"));
                m.swap("mmu", mmu);
            }
            for (String card : List.of("x86-emulate", "vmx")) {
                Bundle other = OtherVersion.installBeside(Osgi.bundle("org.backplane." + card), "0.2.0");
                try {
                    m.swap(card.equals("vmx") ? "cpu-backend" : "emulator", null);
                    assertEquals("T05hwbreak:;thread:01;", gdb.ask("vCont;c"));
                } finally {
                    other.uninstall();
                }
                assertEquals("T05hwbreak:;thread:01;", gdb.ask("vCont;c"), "with the card of the version before again");
            }
            gdb.ask("z1," + Long.toHexString(BEHIND) + ",1");
            gdb.send("vCont;c");
            m.swap("mmu", "shadow");
            awaitProgress(m);
            gdb.raw("\u0003");
            gdb.answer();
            gdb.ask("Z2," + Long.toHexString(COUNTER) + ",1");
            m.swap("mmu", "direct");
            assertTrue(gdb.ask("vCont;c").startsWith("T05watch:"));
        }
    }

    @Test
    void eachMachineHasItsPortAndStopsAlone() throws Exception {
        int one = freePort(), two = freePort();
        Machine a = run("a", one), b = run("b", two);
        try (RspClient gdb = new RspClient(one)) {
            gdb.ask("?");
            assertStandsStill(a);
            awaitProgress(b);
        }
    }

    @Test
    void killEndsTheMachineAndAnEndIsReported() throws Exception {
        int one = freePort(), two = freePort();
        Machine a = run("a", one), b = run("b", two);
        try (RspClient gdb = new RspClient(one)) {
            gdb.send("k");
            a.ended().get(30, TimeUnit.SECONDS);
        }
        try (RspClient gdb = new RspClient(two)) {
            gdb.ask("?");
            gdb.send("vCont;c");
            b.stop();
            assertEquals("W00", gdb.answer());
        }
        assertThrows(ConnectException.class, () -> new Socket("127.0.0.1", one).close());
    }

    @Test
    void aFrozenMachineWaitsForTheFirstInstructionToBeAllowed() throws Exception {
        int port = freePort();
        Machine m = create("a", Map.of("gdb", "tcp:127.0.0.1:" + port, "S", ""));
        m.start();
        assertEquals(Machine.State.PAUSED, m.state());
        assertEquals("0", m.stats().get("instructions"));
        try (RspClient gdb = new RspClient(port)) {
            gdb.ask("qSupported:swbreak+;hwbreak+");
            gdb.ask("Z0," + Long.toHexString(LOOP) + ",1");
            assertEquals("T05swbreak:;thread:01;", gdb.ask("vCont;c"));
            assertEquals(0, count(m));
        }
    }

    @Test
    void whatCannotBeServedIsRefusedWithTheOptionsName() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            for (String address : List.of("tcp:127.0.0.1:" + taken.getLocalPort(), "tcp:", "1234", "tcp::99999", "udp::1")) {
                BoardException e = assertThrows(BoardException.class, () -> create("a", Map.of("gdb", address)));
                assertTrue(e.getMessage().startsWith("gdb: "), e.getMessage());
            }
        }
        assertFalse(Osgi.service(Machines.class).find("a").isPresent(), "no half-made machine");
    }

    @Test
    void theStubsBundleMayComeAndGo() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        Bundle stub = Osgi.bundle("org.backplane.gdbstub");
        try (RspClient gdb = new RspClient(port)) {
            gdb.ask("?");
            assertStandsStill(m);
            stub.stop();
            awaitProgress(m);
            BoardException e = assertThrows(BoardException.class, () -> create("b", Map.of("gdb", "tcp::0")));
            assertEquals("gdb: the front end for it is not there", e.getMessage());
        } finally {
            stub.start();
        }
        try (RspClient gdb = attachAgain(port)) {
            assertEquals("OK", gdb.ask("D"));
        }
    }

    @Test
    @NeedsGdb
    void theRealGdbUnderstandsTheDescriptionAndTheShellsCommands() throws Exception {
        int port = freePort();
        Machine m = run("a", port);
        try (Gdb gdb = new Gdb()) {
            gdb.run("target remote 127.0.0.1:" + port);
            String registers = gdb.run("info registers");
            for (String r : List.of("eax", "eip", "eflags", "fs_base", "cr0", "efer")) assertTrue(registers.contains("\n" + r + " ") || registers.startsWith(r + " "), registers);
            assertTrue(gdb.run("info registers cr0").contains("PE"));
            assertTrue(gdb.run("info float").contains("Control Word"));
            assertTrue(gdb.run("break *" + BEHIND).contains("Breakpoint 1 at 0x100026"));
            assertTrue(gdb.run("continue").contains("Breakpoint 1, 0x00100026"));
            gdb.run("set var *(int *) " + COUNTER + " = 41");
            assertTrue(gdb.run("continue").contains("Breakpoint 1, 0x00100026"));
            assertTrue(gdb.run("print *(int *) " + COUNTER).endsWith("= 42"));
            gdb.run("delete"); // for what stops at the same place
            gdb.run("watch *(int *) " + COUNTER);
            String change = gdb.run("continue");
            assertTrue(change.contains("Old value = 42") && change.contains("New value = 43"), change);
            gdb.run("delete");
            gdb.run("rwatch *(char *) " + (COUNTER + 1));
            assertTrue(gdb.run("continue").contains("Value = 0"));
            gdb.run("set var $eax = 0x1234");
            assertEquals(0x1234, m.cpu(0).gpr[0]);
            assertEquals("VM status: paused", gdb.run("monitor info status"));
            assertTrue(gdb.run("monitor vm:gdb").contains("target remote 127.0.0.1:" + port));
            assertTrue(gdb.run("monitor nonsense").contains("nonsense"));
            gdb.run("delete");
            gdb.run("detach");
            awaitProgress(m);
        }
    }
}
