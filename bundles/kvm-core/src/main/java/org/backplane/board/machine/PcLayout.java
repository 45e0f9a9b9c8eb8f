package org.backplane.board.machine;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.boot.BootLoader.Range;

/**
 * What makes the machine a PC: which memory is where, and which slots there are before anybody adds one.
 *
 * <pre>
 * 00000000-0009FFFF  RAM (slot 0)
 * 000A0000-000BFFFF  video memory: no slot, so MMIO
 * 000C0000-000FFFFF  RAM for ROM images and tables (slot 1); the firmware ends at 000FFFFF
 * 00100000-          RAM (slot 2), up to 3 GiB
 * -FFFFFFFF          the firmware once more (slot 3)
 * 100000000-         the rest of the RAM (slot 4)
 * </pre>
 */
final class PcLayout {
    static final long ROM_AREA = 0xc0000L;
    static final long ROM_AREA_END = 0x100000L;
    private static final long LOW_RAM_END = 0xa0000L;
    private static final long EBDA = 0x9fc00L;
    private static final long HOLE = 0xc000_0000L;
    private static final long FOUR_GIB = 1L << 32;
    private static final int ROM_SLOT = 1;

    private PcLayout() {}

    static void mapMemory(KvmVm vm, long ram) {
        vm.setMemoryRegion(0, 0, 0, Math.min(ram, LOW_RAM_END));
        vm.setMemoryRegion(ROM_SLOT, 0, ROM_AREA, ROM_AREA_END - ROM_AREA);
        if (ram > ROM_AREA_END) vm.setMemoryRegion(2, 0, ROM_AREA_END, Math.min(ram, HOLE) - ROM_AREA_END);
        if (ram > HOLE) vm.setMemoryRegion(4, 0, FOUR_GIB, ram - HOLE);
        // The reset vector is in the last 16 bytes below 4 GiB.
        MemorySegment rom = vm.memory().memory(ROM_SLOT);
        vm.setUserMemoryRegion(3, Vm.MEM_READONLY, FOUR_GIB - rom.byteSize(), rom);
    }

    /** The memory map that firmware reports by E820, and a kernel loader passes on. */
    static List<Range> memoryMap(long ram) {
        List<Range> map = new ArrayList<>();
        map.add(new Range(0, EBDA, 1));
        map.add(new Range(EBDA, LOW_RAM_END - EBDA, 2));
        map.add(new Range(0xe0000, 0x20000, 2));
        if (ram > ROM_AREA_END) map.add(new Range(ROM_AREA_END, Math.min(ram, HOLE) - ROM_AREA_END, 1));
        if (ram > HOLE) map.add(new Range(FOUR_GIB, ram - HOLE, 1));
        return map;
    }

    /** A slot of the standard board. */
    record Standard(String slot, String type, Map<String, String> properties) {}

    /** The standard slots, in the order in which their cards are reset. */
    static List<Standard> slots(MachineConfig c) {
        List<Standard> s = new ArrayList<>();
        s.add(new Standard("pic", "pic", Map.of()));
        s.add(new Standard("pit", "pit", Map.of()));
        s.add(new Standard("rtc", "rtc", Map.of()));
        s.add(new Standard("dma", "dma", Map.of()));
        s.add(new Standard("i8042", "i8042", Map.of()));
        String[] base = {"0x3f8", "0x2f8", "0x3e8", "0x2e8"};
        String[] irq = {"4", "3", "4", "3"};
        for (int i = 0; i < 4; i++) {
            String backend = i < c.serial.size() ? c.serial.get(i) : i == 0 ? "console" : "null";
            s.add(new Standard(
                    "com" + (i + 1), "serial", Map.of("regs", base[i], "irq", irq[i], "chardev", backend)));
        }
        s.add(new Standard("vga", "vga", Map.of()));
        s.add(new Standard(
                "fdc", "fdc", c.floppy.map(f -> Map.of("drive-a", f)).orElse(Map.of())));
        s.add(new Standard("acpi", "acpi", Map.of()));
        s.add(new Standard("post", "post", Map.of()));
        s.add(new Standard("debugcon", "debugcon", Map.of("chardev", c.debugcon.orElse("null"))));
        return s;
    }
}
