package org.backplane.devdebug;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class DebugconTest extends DeviceContractTest {
    @Override
    protected DeviceFactory factory() {
        return new DebugconFactory();
    }

    @Override
    protected boolean stateless() {
        return true;
    }

    @Override
    protected void exercise(DeviceBench b) {
        b.outb(0xe9, 'x');
    }

    @Test
    void bothPortsReachTheBackEnd() {
        DeviceBench b = fresh();
        b.outb(0xe9, 'H');
        b.outb(0x402, 'i');
        assertEquals("Hi", b.character("chardev").output());
    }

    @Test
    void readingTellsThatItIsThere() {
        DeviceBench b = fresh();
        assertEquals(0xe9, b.inb(0xe9));
        assertEquals(0xe9, b.inb(0x402));
    }

    @Test
    void firmwarePortCanBeLeftOut() {
        DeviceBench b = DeviceBench.of(factory(), Map.of("firmware", ""));
        assertEquals(0xff, b.inb(0x402));
    }
}
