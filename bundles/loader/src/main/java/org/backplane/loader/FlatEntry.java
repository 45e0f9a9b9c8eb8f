package org.backplane.loader;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.spi.boot.BootLoader;
import org.backplane.kvm.spi.cpu.CpuState;

/** Entry state that the Linux 32-bit boot protocol and multiboot have in common: protected mode, no paging, flat 4 GiB segments, IF=0. */
final class FlatEntry {
    private static final int CODE = 0x10, DATA = 0x18;
    private static final int CODE_RIGHTS = 0xc09b, DATA_RIGHTS = 0xc093;

    private FlatEntry() {}

    /**
     * Writes the descriptors of the flat segments to {@code gdt} (32 bytes, real memory) and sets the CPU.
     *
     * @param entry linear address of the first instruction
     */
    static void set(BootLoader.Request r, long gdt, long entry) {
        Image table = new Image(32);
        table.put64(CODE, 0x00cf_9b00_0000_ffffL).put64(DATA, 0x00cf_9300_0000_ffffL);
        r.write(gdt, table.bytes(), 0, table.length());
        CpuState s = r.cpu();
        for (int seg = ES; seg <= GS; seg++) {
            s.segSel[seg] = seg == CS ? CODE : DATA;
            s.segBase[seg] = 0;
            s.segLimit[seg] = 0xffffffffL;
            s.segAr[seg] = seg == CS ? CODE_RIGHTS : DATA_RIGHTS;
        }
        s.gdtBase = gdt;
        s.gdtLimit = 31;
        s.idtBase = 0;
        s.idtLimit = 0;
        s.cr0 = CR0_PE | CR0_ET;
        s.cpl = 0;
        s.rip = entry;
        for (int i = 0; i < 16; i++) s.gpr[i] = 0;
        s.setRflags(2);
    }
}
