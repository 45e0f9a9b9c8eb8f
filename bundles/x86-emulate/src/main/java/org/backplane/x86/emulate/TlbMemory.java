package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.exec.Cpu;
import org.backplane.x86.isa.exec.Memory;

/**
 * Guest memory for bulk execution, behind the inline TLB look-up: the backend's paging unit translates, devices are
 * called, accesses that cross a page are split, and writes into decoded code drop what was made of it.
 */
final class TlbMemory implements Memory {
    private static final int TRANSLATION_BITS = Intercepts.WRITE | Intercepts.USER | Intercepts.FETCH;

    private final CodeCache code;

    TlbMemory(CodeCache code) {
        this.code = code;
    }

    /** Index in the real TLB, whichever array the fast path uses. */
    private static int entry(long gva, int access) {
        return ((access & Intercepts.USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR) + SoftTlb.slot(gva);
    }

    /** Host address of a byte, or T_MMIO with {@code v.gpa} set. Sets {@code v.codePage} for a write. */
    private long translate(Cpu c, long gva, int access) {
        VcpuContext v = c.v;
        v.codePage = false;
        int i = entry(gva, access);
        long[] e = c.tlb.entries;
        int tag = (access & Intercepts.WRITE) != 0 ? SoftTlb.WRITE : SoftTlb.READ;
        if (e[i + tag] == (gva & SoftTlb.PAGE)) return gva + e[i + SoftTlb.ADDEND];
        c.sync();
        long host = c.calls.translate(v, gva, access & TRANSLATION_BITS);
        if (host < 0 && host != Intercepts.T_MMIO) throw c.translationRefusal(host);
        return host;
    }

    private static boolean crosses(long gva, int size) {
        return (gva & 0xfff) + size > 0x1000;
    }

    @Override
    public long read(Cpu c, long gva, int size, int access) {
        if (!crosses(gva, size)) return part(c, gva, size, access);
        long value = 0;
        for (int n = 0; n < size; n++) value |= part(c, gva + n & 0xffffffffL, 1, access) << 8 * n;
        return value;
    }

    private long part(Cpu c, long gva, int size, int access) {
        long host = translate(c, gva, access);
        if (host >= 0) return HostMemory.get(host, size);
        c.sync();
        c.answer(c.calls.mmioRead(c.v, c.v.gpa, size));
        return c.v.ioValue;
    }

    @Override
    public void write(Cpu c, long gva, int size, long value, int access) {
        if (!crosses(gva, size)) {
            storePart(c, gva, size, value, access);
            return;
        }
        probeWrite(c, gva, access);
        probeWrite(c, (gva | 0xfff) + 1 & 0xffffffffL, access);
        for (int n = 0; n < size; n++) storePart(c, gva + n & 0xffffffffL, 1, value >>> 8 * n & 0xff, access);
    }

    private void storePart(Cpu c, long gva, int size, long value, int access) {
        long host = translate(c, gva, access);
        if (host >= 0) {
            if (c.v.codePage) {
                c.v.codePage = false;
                if (code.written(host & ~0xfffL, (int) host & 0xfff, size)) c.stop();
            }
            HostMemory.put(host, size, value);
            return;
        }
        c.sync();
        c.answer(c.calls.mmioWrite(c.v, c.v.gpa, size, value & Cpu.sizeMask(size)));
    }

    @Override
    public long compareExchange(Cpu c, long gva, int size, long expected, long value, int access) {
        long found = read(c, gva, size, access);
        // The memory cycle is a write in any case (SDM 2A: CMPXCHG).
        write(c, gva, size, found == expected ? value : found, access);
        return found;
    }

    @Override
    public void probeWrite(Cpu c, long gva, int access) {
        translate(c, gva, access);
        c.v.codePage = false;
    }

    @Override
    public long hostForRead(Cpu c, long gva, int access) {
        return direct(c, gva, access, SoftTlb.READ);
    }

    @Override
    public long hostForWrite(Cpu c, long gva, int access) {
        return direct(c, gva, access, SoftTlb.WRITE);
    }

    private static long direct(Cpu c, long gva, int access, int tag) {
        long[] e = c.entries;
        int i = entry(gva, access);
        return e[i + tag] == (gva & SoftTlb.PAGE) ? gva + e[i + SoftTlb.ADDEND] : 0;
    }
}
