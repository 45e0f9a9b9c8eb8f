package org.backplane.devdebug;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class DebugExitTest extends DeviceContractTest {
    @Override
    protected DeviceFactory factory() {
        return new DebugExitFactory();
    }

    @Override
    protected boolean stateless() {
        return true;
    }

    @Override
    protected void exercise(DeviceBench b) {
        b.outb(0x501, 3);
    }

    @Test
    void writeEndsTheMachineWithAnOddStatus() {
        DeviceBench b = fresh();
        b.outb(0x501, 0x10);
        b.out(0x501, 2, 0x0010);
        assertEquals(List.of(0x21, 0x21), b.platform().exits().subList(0, 2));
    }

    @Test
    void thirtyTwoBitZeroToF4IsStatus1() {
        DeviceBench b = DeviceBench.of(factory(), Map.of("iobase", "0xf4", "iosize", "0x04"));
        b.out(0xf4, 4, 0);
        assertEquals(List.of(1), b.platform().exits());
        assertEquals(0, b.in(0xf4, 4));
    }

    @Test
    void portsBeyondIosizeFloat() {
        DeviceBench b = DeviceBench.of(factory(), Map.of("iobase", "0xf4", "iosize", "1"));
        b.outb(0xf5, 1);
        assertEquals(List.of(), b.platform().exits());
        assertEquals(0xff, b.inb(0xf5));
        b.out(0xf4, 4, 0x01020304);
        assertEquals(List.of(9), b.platform().exits(), "only its own byte counts");
    }

    @Test
    void badIosizeIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> DeviceBench.of(factory(), Map.of("iosize", "3")));
    }
}
