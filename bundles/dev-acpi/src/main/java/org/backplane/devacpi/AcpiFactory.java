package org.backplane.devacpi;

import java.util.List;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.backplane.kvm.spi.device.Resource;
import org.osgi.service.component.annotations.Component;

/** Makes ACPI's fixed hardware. */
@Component(service = DeviceFactory.class)
public final class AcpiFactory implements DeviceFactory {
    static final String PM1 = "pm1";
    static final String PM_TIMER = "pm-timer";
    static final String SMI = "smi";
    static final String RESET = "reset";
    static final String SCI = "sci";
    static final String TABLES = "tables";
    /** Operating systems look for the RSDP from here to 1 MiB. */
    static final long LOWEST_TABLES = 0xe0000;

    private static final int PM1_BASE = 0x600;
    private static final int PM_TIMER_BASE = 0x608;
    private static final int SMI_BASE = 0xb2;
    private static final int RESET_BASE = 0xcf9;
    private static final int SCI_GSI = 9;

    @Override
    public String type() {
        return "acpi";
    }

    @Override
    public String description() {
        return "ACPI: power off, reset register, power management timer, and the tables";
    }

    @Override
    public List<Resource> resources() {
        return List.of(
                Resource.ports(PM1, PM1_BASE, 8),
                Resource.ports(PM_TIMER, PM_TIMER_BASE, 4),
                Resource.ports(SMI, SMI_BASE, 2),
                Resource.ports(RESET, RESET_BASE, 1),
                Resource.irq(SCI, SCI_GSI));
    }

    @Override
    public List<Property> properties() {
        return List.of(new Property(TABLES, "0xe0000", "where the tables are written, from 0xe0000 to 0xfffc0"));
    }

    @Override
    public Device create() {
        return new AcpiDevice();
    }
}
