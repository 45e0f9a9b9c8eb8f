package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class ${className}Test extends DeviceContractTest {
    private static final int CONTROL = 4, STATUS = 8, PERIOD = 0xc, COUNT = 0x10;
    private static final int ENABLE = 1, INTERRUPT = 2, ELAPSED = 1;
    private static final long SECOND = 1_000_000_000;

    private final DeviceBench b = DeviceBench.of(factory());

    @Override
    protected DeviceFactory factory() {
        return new ${className}Factory();
    }

    /** Counting, with an interrupt that stands. */
    @Override
    protected void exercise(DeviceBench b) {
        b.write("regs", PERIOD, 4, 300);
        b.write("regs", CONTROL, 4, ENABLE | INTERRUPT);
        b.clock().advance(SECOND);
    }

    @Test
    void countsWhileItIsEnabled() {
        b.clock().advance(5 * SECOND);
        assertEquals(0, b.read("regs", COUNT, 4));
        b.write("regs", CONTROL, 4, ENABLE);
        b.clock().advance(SECOND - 1);
        assertEquals(0, b.read("regs", COUNT, 4));
        b.clock().advance(1);
        assertEquals(1, b.read("regs", COUNT, 4));
    }

    @Test
    void interruptStandsUntilItIsAcknowledged() {
        b.write("regs", CONTROL, 4, ENABLE | INTERRUPT);
        b.clock().advance(SECOND);
        assertTrue(b.irq("irq").level());
        b.write("regs", STATUS, 4, ELAPSED);
        assertFalse(b.irq("irq").level());
    }

    @Test
    void swapInTheMiddleOfAPeriodLosesNothing() throws Exception {
        b.write("regs", CONTROL, 4, ENABLE);
        b.clock().advance(SECOND * 3 / 2);
        b.swap(factory());
        b.clock().advance(SECOND / 2);
        assertEquals(2, b.read("regs", COUNT, 4));
    }
}
