package org.backplane.firmware;

import org.backplane.kvm.spi.boot.Firmware;
import org.osgi.service.component.annotations.Component;

/** The built-in BIOS. Its sources are in {@code src/main/asm/bios}. */
@Component(service = Firmware.class)
public final class BackplaneBios implements Firmware {
    private static final int SIZE = 64 << 10;

    @Override
    public String type() {
        return "backplane";
    }

    @Override
    public String description() {
        return "built-in BIOS: boots a floppy";
    }

    /** 64 KiB, for segment F000. */
    @Override
    public byte[] image() {
        return Resources.load("bios.bin", SIZE);
    }
}
