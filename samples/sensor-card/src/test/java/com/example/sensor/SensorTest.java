package com.example.sensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class SensorTest extends DeviceContractTest {
    private static final int ID = 0, CONTROL = 4, STATUS = 8, TEMPERATURE = 0xc, HIGH_LIMIT = 0x10, LOW_LIMIT = 0x14, RATE = 0x18, SAMPLES = 0x1c;
    private static final int ENABLE = 1, ALARM_INTERRUPT = 2, SAMPLE_INTERRUPT = 4;
    private static final int HIGH = 1, LOW = 2, READY = 4, OVERRUN = 8;
    private static final long SECOND = 1_000_000_000;

    @Override
    protected DeviceFactory factory() {
        return new SensorFactory();
    }

    /** In alarm, the next sample on its way. */
    @Override
    protected void exercise(DeviceBench b) {
        write(b, HIGH_LIMIT, 15_010);
        write(b, LOW_LIMIT, -20_000);
        write(b, RATE, 50);
        write(b, CONTROL, ENABLE | ALARM_INTERRUPT);
        b.clock().advance(SECOND);
    }

    private static int read(DeviceBench b, int offset) {
        return (int) b.read("regs", offset, 4);
    }

    private static void write(DeviceBench b, int offset, int value) {
        b.write("regs", offset, 4, value);
    }

    /** A sensor in a room that goes from 0 to 100 degrees in 100 seconds, and back. */
    private DeviceBench inATestRoom() {
        return DeviceBench.of(factory(), Map.of("coldest", "0", "hottest", "100", "cycle", "200"));
    }

    @Test
    void showsNothingBeforeItIsEnabled() {
        DeviceBench b = inATestRoom();
        assertEquals(Sensor.IDENTIFICATION, read(b, ID));
        b.clock().advance(5 * SECOND);
        assertEquals(0, read(b, STATUS));
        assertEquals(0, read(b, SAMPLES));
    }

    @Test
    void samplesComeAtTheRateOfTheVmsClock() {
        DeviceBench b = inATestRoom();
        write(b, RATE, 4);
        write(b, CONTROL, ENABLE);
        b.clock().advance(SECOND / 4 - 1);
        assertEquals(0, read(b, STATUS));
        b.clock().advance(1);
        assertEquals(READY, read(b, STATUS));
        assertEquals(250, read(b, TEMPERATURE));
        assertEquals(0, read(b, STATUS), "the reading was taken");
        b.clock().advance(SECOND / 4 * 3);
        assertEquals(4, read(b, SAMPLES));
        assertEquals(1000, read(b, TEMPERATURE));
        write(b, CONTROL, 0);
        b.clock().advance(SECOND);
        assertEquals(4, read(b, SAMPLES));
    }

    @Test
    void ratesThatDoNotDivideASecondDoNotDrift() {
        DeviceBench b = inATestRoom();
        write(b, RATE, 7);
        write(b, CONTROL, ENABLE);
        b.clock().advance(100 * SECOND - 1);
        assertEquals(699, read(b, SAMPLES));
        b.clock().advance(1);
        assertEquals(700, read(b, SAMPLES));
    }

    @Test
    void samplesThatALateHostMissedAreLeftOut() {
        DeviceBench b = inATestRoom();
        write(b, CONTROL, ENABLE);
        b.clock().jump(5 * SECOND + 1);
        assertEquals(1, read(b, SAMPLES));
        assertEquals(5000, read(b, TEMPERATURE));
        b.clock().advance(SECOND / 10);
        assertEquals(2, read(b, SAMPLES));
    }

    @Test
    void readingThatNobodyTookIsAnOverrun() {
        DeviceBench b = inATestRoom();
        write(b, CONTROL, ENABLE);
        b.clock().advance(SECOND / 10);
        assertEquals(READY, read(b, STATUS));
        b.clock().advance(SECOND / 10);
        assertEquals(READY | OVERRUN, read(b, STATUS));
        write(b, STATUS, OVERRUN | READY);
        assertEquals(READY, read(b, STATUS), "ready is cleared by taking the reading only");
    }

    @Test
    void tooHotRaisesTheAlarmUntilItIsClearedAndAgainWithTheNextSample() {
        DeviceBench b = inATestRoom();
        write(b, HIGH_LIMIT, 1000);
        write(b, RATE, 1);
        write(b, CONTROL, ENABLE | ALARM_INTERRUPT);
        b.clock().advance(SECOND);
        assertFalse(b.irq("irq").level(), "at the limit is not beyond it");
        b.clock().advance(SECOND);
        assertEquals(HIGH, read(b, STATUS) & (HIGH | LOW));
        assertTrue(b.irq("irq").level());
        write(b, STATUS, LOW);
        assertTrue(b.irq("irq").level(), "zeros leave a bit alone");
        write(b, STATUS, HIGH);
        assertFalse(b.irq("irq").level());
        b.clock().advance(SECOND);
        assertTrue(b.irq("irq").level());
        assertEquals(2, b.irq("irq").edges());
    }

    @Test
    void limitsAndTemperaturesAreSigned() {
        DeviceBench b = DeviceBench.of(factory(), Map.of("coldest", "-40", "hottest", "-40"));
        write(b, CONTROL, ENABLE | ALARM_INTERRUPT);
        write(b, LOW_LIMIT, -40_000);
        b.clock().advance(SECOND / 10);
        assertEquals(-40_000, read(b, TEMPERATURE));
        assertEquals(0, read(b, STATUS));
        write(b, LOW_LIMIT, -39_999);
        b.clock().advance(SECOND / 10);
        assertEquals(LOW, read(b, STATUS) & (HIGH | LOW));
    }

    @Test
    void sampleInterruptStandsUntilTheReadingIsTaken() {
        DeviceBench b = inATestRoom();
        write(b, CONTROL, ENABLE | SAMPLE_INTERRUPT);
        b.clock().advance(SECOND / 10);
        assertTrue(b.irq("irq").level());
        read(b, TEMPERATURE);
        assertFalse(b.irq("irq").level());
    }

    @Test
    void ratesAreHeldWithinBounds() {
        DeviceBench b = inATestRoom();
        write(b, RATE, 0);
        assertEquals(Sensor.SLOWEST, read(b, RATE));
        write(b, RATE, -1);
        assertEquals(Sensor.FASTEST, read(b, RATE));
    }

    @Test
    void roomWarmsUpAndCoolsDown() {
        DeviceBench b = inATestRoom();
        write(b, RATE, 1);
        write(b, CONTROL, ENABLE);
        b.clock().advance(100 * SECOND);
        assertEquals(100_000, read(b, TEMPERATURE));
        b.clock().advance(75 * SECOND);
        assertEquals(25_000, read(b, TEMPERATURE));
        b.clock().advance(25 * SECOND);
        assertEquals(0, read(b, TEMPERATURE));
    }

    @Test
    void roomsThatMakeNoSenseAreRefused() {
        assertRefused("coldest", "warm");
        assertRefused("hottest", "NaN");
        assertRefused("hottest", "14");
        assertRefused("cycle", "0");
    }

    private void assertRefused(String property, String value) {
        String message = assertThrows(IllegalArgumentException.class, () -> DeviceBench.of(factory(), Map.of(property, value))).getMessage();
        assertTrue(message.contains(property) && message.endsWith(value), message);
    }

    @Test
    void stateWithoutADeadlineGoesOnSampling() throws Exception {
        DeviceBench b = inATestRoom();
        write(b, CONTROL, ENABLE);
        CardState state = b.save();
        DeviceBench other = DeviceBench.unattached(factory(), Map.of()).attach().load(state);
        other.clock().advance(SECOND);
        assertEquals(10, read(other, SAMPLES));
    }
}
