package org.backplane.kvm.core.cpu;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.kvm.api.Vcpu.CpuidEntry;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The CPUID table of a vCPU: what KVM_SET_CPUID gave, or a default i686, masked with what the emulator can execute.
 *
 * <p>The default names the processor family 6, model 5: the last i686 that had everything up to FXSR and no SSE, so that guests choose code paths
 * that exist; to which NX is added, which the MMUs have. The mask is applied at each read, because the emulator may be swapped.
 */
public final class Cpuid {
    /** Leaf 1 EDX of the default CPU: FPU DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT PSE36 MMX FXSR. */
    private static final int FEATURES_EDX = 1
            | 1 << 2
            | 1 << 3
            | 1 << 4
            | 1 << 5
            | 1 << 6
            | 1 << 8
            | 1 << 11
            | 1 << 13
            | 1 << 15
            | 1 << 16
            | 1 << 17
            | 1 << 23
            | 1 << 24;

    /** Leaf 8000_0001 EDX. */
    private static final int SYSCALL = 1 << 11, NX = 1 << 20, LM = 1 << 29;

    private final TreeMap<Integer, CpuidEntry> entries = new TreeMap<>(Integer::compareUnsigned);

    public Cpuid() {
        set(defaults());
    }

    private static List<CpuidEntry> defaults() {
        byte[] vendor = "GenuineIntel".getBytes(StandardCharsets.US_ASCII);
        byte[] brand = java.util.Arrays.copyOf("Backplane virtual i686".getBytes(StandardCharsets.US_ASCII), 48);
        return List.of(
                new CpuidEntry(0, 2, word(vendor, 0), word(vendor, 8), word(vendor, 4)),
                new CpuidEntry(1, 0x652, 0, 0, FEATURES_EDX),
                new CpuidEntry(2, 0x0304_0101, 0, 0, 0x0c04_0843),
                new CpuidEntry(0x8000_0000, 0x8000_0004, 0, 0, 0),
                new CpuidEntry(0x8000_0001, 0, 0, 0, NX),
                brandLeaf(0x8000_0002, brand, 0),
                brandLeaf(0x8000_0003, brand, 16),
                brandLeaf(0x8000_0004, brand, 32));
    }

    private static CpuidEntry brandLeaf(int function, byte[] brand, int at) {
        return new CpuidEntry(function, word(brand, at), word(brand, at + 4), word(brand, at + 8), word(brand, at + 12));
    }

    private static int word(byte[] b, int at) {
        return b[at] & 0xff | (b[at + 1] & 0xff) << 8 | (b[at + 2] & 0xff) << 16 | b[at + 3] << 24;
    }

    /** Replaces the table. */
    public void set(List<CpuidEntry> table) {
        entries.clear();
        for (CpuidEntry e : table) entries.put(e.function(), e);
    }

    public Map<Integer, CpuidEntry> table() {
        return entries;
    }

    /** The bits of EFER that exist with this table: SCE, LME and NXE where leaf 8000_0001 reports their features. */
    public long efer() {
        CpuidEntry e = entries.get(0x8000_0001);
        int edx = e == null ? 0 : e.edx();
        return ((edx & SYSCALL) != 0 ? CpuState.EFER_SCE : 0)
                | ((edx & LM) != 0 ? CpuState.EFER_LME : 0)
                | ((edx & NX) != 0 ? CpuState.EFER_NX : 0);
    }

    /**
     * Executes CPUID on EAX. A function above the highest of its range answers as the highest basic one does (SDM 2A, CPUID).
     *
     * @param features of the emulator: leaf 1 EDX in bits 31:0, ECX in bits 63:32
     */
    public void execute(CpuState s, long features) {
        int function = (int) s.gpr[CpuState.RAX];
        CpuidEntry e = entries.get(function);
        if (e == null) {
            CpuidEntry base = entries.get(function & 0x8000_0000);
            boolean inRange = base != null && Integer.compareUnsigned(function, base.eax()) <= 0;
            CpuidEntry highest = entries.get(entries.containsKey(0) ? entries.get(0).eax() : 0);
            e = inRange || highest == null ? new CpuidEntry(function, 0, 0, 0, 0) : highest;
        }
        int ecx = e.ecx();
        int edx = e.edx();
        if (e.function() == 1) {
            edx &= (int) features;
            ecx &= (int) (features >>> 32);
        }
        s.gpr[CpuState.RAX] = e.eax() & 0xffffffffL;
        s.gpr[CpuState.RBX] = e.ebx() & 0xffffffffL;
        s.gpr[CpuState.RCX] = ecx & 0xffffffffL;
        s.gpr[CpuState.RDX] = edx & 0xffffffffL;
    }
}
