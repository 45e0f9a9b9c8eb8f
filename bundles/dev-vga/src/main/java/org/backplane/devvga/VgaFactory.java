package org.backplane.devvga;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes VGAs. */
@Component(service = DeviceFactory.class)
public final class VgaFactory implements DeviceFactory {
    static final String MONO_CRTC = "mono-crtc";
    static final String MONO_STATUS = "mono-status";
    static final String REGS = "regs";
    static final String CRTC = "crtc";
    static final String STATUS = "status";
    static final String VRAM = "vram";
    static final String RETAIN = "retain";
    static final String BLINK = "blink";

    @Override
    public String type() {
        return "vga";
    }

    @Override
    public String description() {
        return "VGA with 256 KiB: text modes, planar and 256-colour graphics, a font of its own";
    }

    @Override
    public List<Resource> resources() {
        return List.of(
                Resource.ports(MONO_CRTC, 0x3b4, 2),
                Resource.ports(MONO_STATUS, 0x3ba, 1),
                Resource.ports(REGS, 0x3c0, 16),
                Resource.ports(CRTC, 0x3d4, 2),
                Resource.ports(STATUS, 0x3da, 1),
                Resource.mmio(VRAM, 0xa0000, 0x20000));
    }

    @Override
    public List<Property> properties() {
        return List.of(
                new Property(RETAIN, "off", "on: a reset of the machine leaves video memory alone"),
                new Property(BLINK, "off", "on: pictures show cursor and blinking characters in their phase, not always"));
    }

    @Override
    public Device create() {
        return new VgaDevice();
    }
}
