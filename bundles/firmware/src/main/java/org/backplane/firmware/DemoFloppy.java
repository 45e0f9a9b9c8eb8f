package org.backplane.firmware;

import org.backplane.kvm.spi.boot.BuiltInImage;
import org.osgi.service.component.annotations.Component;

/** A floppy with the demonstration guest. Its sources are in {@code src/main/asm/demo}. */
@Component(service = BuiltInImage.class)
public final class DemoFloppy implements BuiltInImage {
    private static final int SIZE = 1440 << 10;

    @Override
    public String type() {
        return "demo";
    }

    @Override
    public String description() {
        return "floppy of the demonstration guest";
    }

    /** 1.44 MB. */
    @Override
    public byte[] image() {
        return Resources.load("demo.img", SIZE);
    }
}
