package org.backplane.devacpi;

import java.io.ByteArrayOutputStream;

/**
 * The tables that tell the operating system where the power management registers are: RSDP → RSDT → FADT → DSDT and FACS, one after
 * the other in one piece of memory.
 *
 * <p>There is no MADT, which means: one processor and the PC/AT's pair of 8259A. The DSDT has {@code \_S5} (the sleep type that
 * means off) and nothing else: an operating system that finds no devices in ACPI looks for those of the PC at their usual places,
 * as the FADT's boot flags say.
 *
 * <p>Revision 3 of the FADT, for the reset register; the old RSDP and the RSDT, because 32 bits are enough.
 *
 * <p>Source: ACPI specification 2.0c, chapter 5.2, and chapter 16.2 for AML's grammar.
 */
final class AcpiTables {
    /** The sleep type in PM1 control that means S5, soft off. */
    static final int SLEEP_TYPE_S5 = 5;
    /** Values for the SMI command port. */
    static final int ACPI_ENABLE = 0xa1;

    static final int ACPI_DISABLE = 0xa0;
    /** What the operating system writes to the reset register. */
    static final int RESET_VALUE = 0x06;
    /** The tables' address is a multiple of this: the FACS needs it. */
    static final int ALIGNMENT = 64;

    private static final int RSDP_LENGTH = 20;
    private static final int RSDP_CHECKSUM_AT = 8;
    private static final int FACS_LENGTH = 64;
    private static final int FADT_REVISION = 3;
    private static final int FADT_LENGTH = 244;
    private static final int RSDT_LENGTH = TableWriter.HEADER_LENGTH + 4;

    private static final int PROFILE_DESKTOP = 1;
    /** No C2, no C3: latencies above these limits. */
    private static final int NO_C2 = 101;

    private static final int NO_C3 = 1001;
    /** Bytes of the real-time clock's memory. */
    private static final int CMOS_DAY_ALARM = 0;

    private static final int CMOS_CENTURY = 0x32;
    /** Legacy devices, 8042 present; VGA not absent; no message signalled interrupts. */
    private static final int BOOT_FLAGS = 1 | 1 << 1 | 1 << 3;
    /**
     * WBINVD works; C1 works; no sleep button, no RTC wake-up in fixed registers; reset register. The power button is a fixed one;
     * the timer has 24 bits.
     */
    private static final int FLAGS = 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 10;

    private static final int NAME_OP = 0x08;
    private static final int PACKAGE_OP = 0x12;
    private static final int BYTE_PREFIX = 0x0a;
    private static final int ZERO_OP = 0x00;

    /**
     * Where things are.
     *
     * @param sci interrupt of the ISA bus
     * @param pm1Event port of PM1 event; control is 4 ports above
     * @param timer port of the PM timer
     * @param smiCommand port
     * @param reset port of the reset register
     */
    record Places(int sci, int pm1Event, int timer, int smiCommand, int reset) {}

    private AcpiTables() {}

    /** All tables as they are to lie at {@code base}, a multiple of {@link #ALIGNMENT}; the RSDP is first. */
    static byte[] at(long base, Places places) {
        byte[] dsdt = dsdt();
        int facsAt = align(RSDP_LENGTH);
        int rsdtAt = align(facsAt + FACS_LENGTH);
        int fadtAt = align(rsdtAt + RSDT_LENGTH);
        int dsdtAt = align(fadtAt + FADT_LENGTH);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        append(all, 0, rsdp(base + rsdtAt));
        append(all, facsAt, facs());
        append(all, rsdtAt, rsdt(base + fadtAt));
        append(all, fadtAt, fadt(base + facsAt, base + dsdtAt, places));
        append(all, dsdtAt, dsdt);
        return all.toByteArray();
    }

    private static int align(int offset) {
        return offset + ALIGNMENT - 1 & -ALIGNMENT;
    }

    private static void append(ByteArrayOutputStream to, int at, byte[] table) {
        while (to.size() < at) to.write(0);
        to.writeBytes(table);
    }

    private static byte[] rsdp(long rsdt) {
        byte[] b = TableWriter.structure()
                .text("RSD PTR ", 8)
                .int8(0) // checksum
                .text("BCKPLN", 6)
                .int8(0) // revision: ACPI 1.0's structure
                .int32(rsdt)
                .raw();
        TableWriter.checksum(b, RSDP_CHECKSUM_AT, RSDP_LENGTH);
        return b;
    }

    /** The operating system writes here: the global lock, and where to wake up. It has no checksum. */
    private static byte[] facs() {
        return TableWriter.structure().text("FACS", 4).int32(FACS_LENGTH).zerosTo(32).int8(1).zerosTo(FACS_LENGTH).raw();
    }

    private static byte[] rsdt(long fadt) {
        return TableWriter.table("RSDT", 1).int32(fadt).finish();
    }

    private static byte[] fadt(long facs, long dsdt, Places p) {
        int control = p.pm1Event + AcpiDevice.PM1_CONTROL;
        return TableWriter.table("FACP", FADT_REVISION)
                .int32(facs)
                .int32(dsdt)
                .int8(0) // was: interrupt model
                .int8(PROFILE_DESKTOP)
                .int16(p.sci)
                .int32(p.smiCommand)
                .int8(ACPI_ENABLE)
                .int8(ACPI_DISABLE)
                .int8(0) // S4BIOS
                .int8(0) // processor performance
                .int32(p.pm1Event)
                .int32(0) // PM1b event
                .int32(control)
                .int32(0) // PM1b control
                .int32(0) // PM2 control
                .int32(p.timer)
                .int32(0) // GPE0
                .int32(0) // GPE1
                .int8(4) // length of PM1 event
                .int8(2) // of PM1 control
                .int8(0) // of PM2 control
                .int8(4) // of the timer
                .int8(0) // of GPE0
                .int8(0) // of GPE1
                .int8(0) // GPE1 base
                .int8(0) // _CST
                .int16(NO_C2)
                .int16(NO_C3)
                .int16(0) // flush size
                .int16(0) // flush stride
                .int8(0) // duty offset
                .int8(0) // duty width
                .int8(CMOS_DAY_ALARM)
                .int8(0) // month alarm
                .int8(CMOS_CENTURY)
                .int16(BOOT_FLAGS)
                .int8(0)
                .int32(FLAGS)
                .port(p.reset, 1, 1)
                .int8(RESET_VALUE)
                .int8(0)
                .int16(0)
                .int64(0) // FACS above 4 GiB
                .int64(dsdt)
                .port(p.pm1Event, 4, 2)
                .noAddress() // PM1b event
                .port(control, 2, 2)
                .noAddress() // PM1b control
                .noAddress() // PM2 control
                .port(p.timer, 4, 4)
                .noAddress() // GPE0
                .noAddress() // GPE1
                .zerosTo(FADT_LENGTH)
                .finish();
    }

    /** {@code Name (\_S5, Package (4) {5, 5, 0, 0})}: the types for PM1a and PM1b control, and two that are reserved. */
    private static byte[] dsdt() {
        byte[] elements = {
            BYTE_PREFIX, SLEEP_TYPE_S5, BYTE_PREFIX, SLEEP_TYPE_S5, ZERO_OP, ZERO_OP
        };
        int packageLength = 1 + 1 + elements.length; // itself, the number of elements, the elements
        return TableWriter.table("DSDT", 1)
                .int8(NAME_OP)
                .text("\\_S5_", 5)
                .int8(PACKAGE_OP)
                .int8(packageLength)
                .int8(4)
                .bytes(elements)
                .finish();
    }
}
