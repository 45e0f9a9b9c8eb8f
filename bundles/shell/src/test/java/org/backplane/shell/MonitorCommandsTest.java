package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.Machine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;

class MonitorCommandsTest {
    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final CommandSession session = FakeSession.in(Path.of("."));
    private FakeMachine machine;
    private MonitorCommands monitor;

    @BeforeEach
    void create() {
        BundleContext context =
                (BundleContext) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {BundleContext.class}, (p, m, a) -> null);
        monitor = new MonitorCommands(
                directory,
                new LifeCommands(directory, context),
                new ScreenCommands(directory),
                new CardCommands(directory, context),
                new CpuCommands(directory),
                new MmuCommands(directory),
                new ExitCommands(directory));
        machine = (FakeMachine) directory.create(session, "a", Map.of());
        machine.running = Machine.State.RUNNING;
    }

    private String info(String... args) {
        return output(() -> monitor.info(session, args));
    }

    @Test
    void stopPausesAsInQemu() {
        output(() -> monitor.stop(session, new String[0]));
        assertEquals("VM status: paused\n", info("status"));
        output(() -> monitor.cont(session, new String[0]));
        assertEquals("VM status: running\n", info("status", "a"));
        output(() -> monitor.system_reset(session, new String[0]));
        output(() -> monitor.sendkey(session, new String[] {"ctrl-alt-delete"}));
        assertEquals(List.of("pause", "resume", "reset", "keys [ctrl-alt-delete]"), machine.calls);
    }

    @Test
    void infoRegistersIsTheCommandForRegisters() {
        assertTrue(info("registers").startsWith("EAX="));
        assertTrue(info("cpus").startsWith("* CPU #0: pc=0xfffffff0"));
        assertTrue(info("qtree").startsWith("SLOT"));
        assertEquals("mmu: direct@0.1.0 (org.backplane.direct-mmu)\n", info("kvm"));
        assertEquals("a\n", info("name"));
    }

    @Test
    void claimsAreInNumericalOrder() {
        machine.slots.add(new Machine.SlotInfo("x", "device", "x", "1", "active", "x", List.of("port 060-060", "irq 12", "port 1000-1007"), Map.of()));
        assertEquals(
                """
                CLAIM           SLOT
                irq 4           com1
                irq 12          x
                port 060-060    x
                port 3f8-3ff    com1
                port 1000-1007  x
                """,
                info("mtree"));
    }

    @Test
    void infoAloneIsAboutTheMachine() {
        assertTrue(info().startsWith("machine       a\nstate         running\n"));
        assertTrue(info("a").startsWith("machine       a\n"));
        assertTrue(assertThrows(CommandException.class, () -> info("foo")).getMessage().startsWith("usage: info registers|status|"));
    }
}
