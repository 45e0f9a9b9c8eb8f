package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ManagedMachineTest {
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();

    @Test
    void aConsoleSeesTheMachineAsLongAsItLives() throws Exception {
        ObjectName name = new ObjectName("org.backplane:type=Machine,name=test");
        try (BoardRig rig = new BoardRig()) {
            PcMachine m = rig.machine("f4"); // hlt
            m.start();
            m.swap("mmu", "shadow");
            m.swap("mmu", "direct");
            assertEquals("RUNNING", server.getAttribute(name, "State"));
            CompositeData sideBySide = (CompositeData) ((CompositeData) server.getAttribute(name, "Pauses")).get("sideBySide");
            assertEquals(2L, sideBySide.get("count"));
            assertTrue((long) sideBySide.get("maxNanos") > 0, sideBySide::toString);
        }
        assertFalse(server.isRegistered(name));
    }
}
