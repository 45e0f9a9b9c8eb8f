package org.backplane.devacpi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class AcpiTest extends DeviceContractTest {
    private static final int STATUS = 0x600;
    private static final int ENABLE = 0x602;
    private static final int CONTROL = 0x604;
    private static final int TIMER = 0x608;
    private static final int SMI = 0xb2;
    private static final int RESET = 0xcf9;
    private static final int SLEEP = 1 << 13;
    private static final int TIMER_EVENT = 1;
    private static final int POWER_BUTTON = 1 << 8;
    /** Nanoseconds in which the timer's highest bit changes: 2^23 ticks. */
    private static final long HALF_PERIOD = (1L << 23) * 1_000_000_000L / 3_579_545 + 1;

    private final DeviceBench bench = DeviceBench.of(new AcpiFactory());

    @Override
    protected DeviceFactory factory() {
        return new AcpiFactory();
    }

    @Override
    protected void exercise(DeviceBench b) {
        b.outb(SMI, AcpiTables.ACPI_ENABLE);
        b.out(ENABLE, 2, TIMER_EVENT | POWER_BUTTON);
        b.clock().advance(HALF_PERIOD);
        b.out(STATUS, 2, TIMER_EVENT);
        ((AcpiDevice) b.device()).powerButton();
        b.out(CONTROL, 2, 1 << 10);
    }

    // ---- power ----

    @Test
    void s5SwitchesOff() {
        bench.out(CONTROL, 2, SLEEP | AcpiTables.SLEEP_TYPE_S5 << 10);
        assertEquals(1, bench.platform().powerOffs());
    }

    @Test
    void sleepTypeWithoutEnableDoesNothing() {
        bench.out(CONTROL, 2, AcpiTables.SLEEP_TYPE_S5 << 10);
        assertEquals(0, bench.platform().powerOffs());
        bench.outb(CONTROL + 1, (SLEEP | AcpiTables.SLEEP_TYPE_S5 << 10) >> 8);
        assertEquals(1, bench.platform().powerOffs(), "a byte is enough");
    }

    @Test
    void otherSleepTypesAreNotOffered() {
        bench.out(CONTROL, 2, SLEEP | 1 << 10);
        assertEquals(0, bench.platform().powerOffs());
        assertEquals(List.of("sleep type 1 is not offered"), bench.log());
        assertEquals(1 << 10, bench.in(CONTROL, 2), "the enable bit reads as zero");
    }

    @Test
    void resetRegisterResets() {
        bench.outb(RESET, 0x02);
        assertEquals(0, bench.platform().resets().size());
        bench.outb(RESET, AcpiTables.RESET_VALUE);
        assertEquals(1, bench.platform().resets().size());
    }

    // ---- events ----

    @Test
    void smiCommandSwitchesAcpiModeOnAndOff() {
        assertEquals(0, bench.in(CONTROL, 2));
        bench.out(CONTROL, 2, 1);
        assertEquals(0, bench.in(CONTROL, 2), "only the BIOS can");
        bench.outb(SMI, AcpiTables.ACPI_ENABLE);
        assertEquals(1, bench.in(CONTROL, 2));
        bench.outb(SMI, AcpiTables.ACPI_DISABLE);
        assertEquals(0, bench.in(CONTROL, 2));
    }

    @Test
    void sciNeedsModeEventAndEnable() {
        AcpiDevice acpi = (AcpiDevice) bench.device();
        acpi.powerButton();
        assertFalse(bench.irq("sci").level());
        bench.out(ENABLE, 2, POWER_BUTTON);
        assertFalse(bench.irq("sci").level());
        bench.outb(SMI, AcpiTables.ACPI_ENABLE);
        assertTrue(bench.irq("sci").level());
        assertEquals(POWER_BUTTON, bench.in(STATUS, 2));
        bench.out(STATUS, 2, 0);
        assertTrue(bench.irq("sci").level(), "zeros leave status alone");
        bench.out(STATUS, 2, POWER_BUTTON);
        assertFalse(bench.irq("sci").level());
        assertEquals(0, bench.in(STATUS, 2));
    }

    @Test
    void timerCountsItsFrequencyIn24Bits() {
        bench.clock().advance(1_000_000_000);
        assertEquals(3_579_545, bench.in(TIMER, 4));
        bench.clock().advance(4_000_000_000L);
        assertEquals(5 * 3_579_545 & 0xffffff, bench.in(TIMER, 4));
        assertEquals(5 * 3_579_545 >> 8 & 0xff, bench.inb(TIMER + 1));
    }

    @Test
    void changeOfTheTimersHighestBitIsAnEvent() {
        bench.clock().advance(HALF_PERIOD - 2);
        assertEquals(0, bench.in(STATUS, 2));
        bench.clock().advance(2);
        assertEquals(TIMER_EVENT, bench.in(STATUS, 2));
        bench.out(STATUS, 2, TIMER_EVENT);
        assertEquals(0, bench.in(STATUS, 2));
    }

    @Test
    void enabledTimerEventInterruptsOnTime() {
        bench.outb(SMI, AcpiTables.ACPI_ENABLE);
        assertTrue(bench.clock().deadlines().isEmpty(), "nobody waits for it yet");
        bench.out(ENABLE, 2, TIMER_EVENT);
        for (int i = 1; i <= 3; i++) {
            bench.clock().runUntil(i * HALF_PERIOD - 10);
            assertFalse(bench.irq("sci").level());
            bench.clock().runUntil(i * HALF_PERIOD + 10);
            assertTrue(bench.irq("sci").level());
            bench.out(STATUS, 2, TIMER_EVENT);
        }
        bench.out(ENABLE, 2, 0);
        assertTrue(bench.clock().deadlines().isEmpty());
    }

    @Test
    void statusAndEnableAreOneDoubleWord() {
        bench.outb(SMI, AcpiTables.ACPI_ENABLE);
        bench.out(STATUS, 4, POWER_BUTTON << 16 | 0xffff);
        assertEquals((long) POWER_BUTTON << 16, bench.in(STATUS, 4));
    }

    // ---- tables in memory ----

    @Test
    void resetWritesTheTablesAndASwapDoesNot() throws Exception {
        byte[] expected = AcpiTables.at(0xe0000, AcpiTablesTest.PLACES);
        byte[] found = new byte[expected.length];
        System.arraycopy(bench.memory(), 0xe0000, found, 0, found.length);
        assertArrayEquals(expected, found);
        bench.memory()[0xe0050] = 0x77; // the operating system's word in the FACS
        bench.swap(new AcpiFactory());
        assertEquals(0x77, bench.memory()[0xe0050]);
    }

    @Test
    void tablesMayLieElsewhereBelowOneMegabyte() {
        DeviceBench moved = DeviceBench.of(new AcpiFactory(), Map.of("tables", "0xf5a40"));
        assertEquals("RSD PTR ", new String(moved.memory(), 0xf5a40, 8, StandardCharsets.US_ASCII));
        for (String bad : new String[] {"0xe0010", "0xd0000", "0x100000", "here"}) {
            Exception e = assertThrows(IllegalArgumentException.class, () -> DeviceBench.of(new AcpiFactory(), Map.of("tables", bad)));
            assertTrue(e.getMessage().contains(bad), e.getMessage());
        }
    }
}
