package org.backplane.devfdc;

import org.backplane.devicekit.test.DeviceBench;
import org.backplane.devicekit.test.DeviceContractTest;
import org.backplane.kvm.spi.device.DeviceFactory;

class FdcContractTest extends DeviceContractTest {
    @Override
    protected DeviceFactory factory() {
        return new FdcFactory();
    }

    @Override
    protected void prepare(DeviceBench bench) {
        bench.insert("drive-a", Driver.image(1440));
    }

    /** Stops in the middle of programmed I/O, with the interrupt raised. */
    @Override
    protected void exercise(DeviceBench bench) {
        Driver d = new Driver(bench).start();
        d.command(0x13, 0x00, 0x47, 0x05);
        d.command(0x94);
        d.result(1);
        d.seek(7);
        d.command(0x03, 0xaf, 0x03);
        d.command(Driver.READ, 0x00, 7, 0, 3, 2, 18, 0x1b, 0xff);
        for (int i = 0; i < 100; i++) bench.inb(Driver.FIFO);
    }
}
