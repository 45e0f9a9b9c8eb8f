package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.junit.TestVm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The card's bundle in a VM, driven by a guest. */
class ${className}VmTest {
    private static final long REGS = 0xfeb10000L;
    private static final int CONTROL = 4, STATUS = 8, PERIOD = 0xc, COUNT = 0x10;
    private static final int ENABLE = 1, INTERRUPT = 2, ELAPSED = 1;

    /** One for all tests; in a field that is not static it would be one for each. */
    @RegisterExtension
    static final TestVm vm = TestVm.builder().card(${className}Factory.class).device("${artifactId}").build();

    @AfterEach
    void stop() {
        vm.probe().write32(REGS + CONTROL, 0);
        vm.probe().write32(REGS + STATUS, ELAPSED);
    }

    @Test
    void guestFindsIt() {
        assertEquals(0x44524143, vm.probe().read32(REGS));
    }

    @Test
    void guestIsInterrupted() {
        vm.probe().write32(REGS + PERIOD, 10);
        vm.probe().write32(REGS + CONTROL, ENABLE | INTERRUPT);
        vm.probe().awaitInterrupt(5);
    }

    @Test
    void updateKeepsTheCount() {
        vm.probe().write32(REGS + PERIOD, 10);
        vm.probe().write32(REGS + CONTROL, ENABLE | INTERRUPT);
        vm.probe().awaitInterrupt(5);
        vm.probe().write32(REGS + CONTROL, 0);
        long before = vm.probe().read32(REGS + COUNT);
        vm.updateCards();
        assertTrue(before > 0);
        assertEquals(before, vm.probe().read32(REGS + COUNT));
    }
}
