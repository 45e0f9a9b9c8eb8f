package org.backplane.devdebug;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class PostTest extends DeviceContractTest {
    @Override
    protected DeviceFactory factory() {
        return new PostFactory();
    }

    @Override
    protected void exercise(DeviceBench b) {
        b.outb(0x80, 0x55);
    }

    @Test
    void boardHearsOfEachNewCodeOnce() {
        DeviceBench b = fresh();
        for (int code : new int[] {1, 1, 2, 2, 2, 1}) b.outb(0x80, code);
        assertEquals(List.of(1, 2, 1), b.platform().postCodes());
        assertEquals(1, b.inb(0x80));
    }
}
