package org.backplane.kvm.spi.mmu;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;

/**
 * The architecture's walk of the <em>guest's own</em> page tables (SDM 3A chapter 4): no paging, 32-bit paging with 4 MiB pages
 * and PSE-36, PAE paging from {@link VcpuContext#guestPdpte}, and 4-level paging with 2 MiB and 1 GiB pages.
 *
 * <p>A library class: the paging unit of a two-dimensional processor, the shadow MMU, the emulator's callbacks and the debugger
 * differ only in how they reach guest-physical memory ({@link Memory}) and in whether they set accessed and dirty bits.
 *
 * <p><b>Guarantees.</b> An entry gets its bits in one atomic operation; if it has changed since it was read, the walk begins again. No allocation in a walk; results stay in the public fields until the next one. A walk that answers
 * {@link #FAULT} has changed no memory. Accessed bits are set at every level and the dirty bit in the leaf only once the
 * access is known to be allowed. Reserved bits and NX are checked only in the modes that have them.
 *
 * <p><b>Assumes.</b> One thread at a time. An entry in an address without memory reads as zero, that is as not present.
 */
public final class GuestWalk {
    /** Answers of {@link #walk}: translated; a page fault with {@link #errorCode}; {@link Memory} refused. */
    public static final int OK = 0, FAULT = 1, ABORTED = 2;

    /** An entry changed between being read and getting its bits: another processor or a device wrote to it, or the walk itself by another way. */
    private static final int CHANGED = 3;

    /** Width of physical addresses in bits (MAXPHYADDR): address bits above are reserved. 36 is what a CPU without CPUID leaf 80000008 has. */
    public static final int PHYSICAL_BITS = 36;

    /** Page-fault error code bits (SDM 3A 4.7). */
    public static final int ERROR_PRESENT = 1, ERROR_WRITE = 2, ERROR_USER = 4, ERROR_RESERVED = 8, ERROR_FETCH = 16;

    /** How a walk reaches guest-physical memory. */
    public interface Memory {
        /**
         * Host address to load a paging-structure entry from.
         *
         * @param gpa aligned to the entry, so that it never crosses a page
         * @return 0 when there is no memory; negative to abort the walk
         */
        long host(long gpa);

        /**
         * Host address of an entry, to set accessed and dirty bits in its low byte; whatever must know of the store has been told.
         *
         * @return 0 to leave the bits as they are (read-only memory); negative to abort the walk
         */
        long hostForUpdate(long gpa);
    }

    private static final long PRESENT = 1, WRITABLE = 2, USER = 4, LARGE = 1 << 7, GLOBAL = 1 << 8, NX = 1L << 63;
    private static final int ACCESSED = 1 << 5, DIRTY = 1 << 6;

    /** Bits 51:12. */
    private static final long TABLE = 0x000f_ffff_ffff_f000L;

    /** Address bits above {@link #PHYSICAL_BITS}, up to 51. */
    private static final long TOO_WIDE = TABLE & -(1L << PHYSICAL_BITS);

    /** Bits 62:52: ignored in 4-level paging, reserved in PAE paging. */
    private static final long PAE_RESERVED = 0x7ff0_0000_0000_0000L;

    /** Bits of a PDPTE that must be 0 in PAE paging (SDM 3A 4.4.1): 63:36, 8:5, 2:1. */
    private static final long PDPTE_RESERVED = -(1L << PHYSICAL_BITS) | 0x1e6;

    /** PSE-36: address bits from 32 up are in a 4 MiB entry's bits from 13 up; the rest up to bit 21 is reserved (SDM 3A table 4-4). */
    private static final int PSE36_SHIFT = 13, PSE36_ADDRESS = (1 << PHYSICAL_BITS - 32) - 1;
    private static final long PSE36_RESERVED = (1 << 22) - (1 << PSE36_SHIFT + PHYSICAL_BITS - 32);

    /** The translation. */
    public long gpa;

    /** Levels of the guest's tables: 0 without paging, 2, 3 or 4. */
    public int levels;

    /** Level of the leaf: 1 for 4 KiB, 2 for 2 or 4 MiB, 3 for 1 GiB. */
    public int level;

    /** Size of the page in bits: 12, 21, 22 or 30; without paging 12. */
    public int pageShift;

    /** By level from the top to the leaf: the address of the entry used, and what it held before this walk. Entry 0 is unused. */
    public final long[] pteGpa = new long[5], pte = new long[5];

    /** {@code Spte.W} and {@code Spte.U} when every level grants them, {@code Spte.NX} when a level forbids fetches. */
    public long rights;

    /** The leaf's dirty bit, after this walk. */
    public boolean dirty;

    /** The translation is global: G in the leaf, and CR4.PGE. */
    public boolean global;

    /** Error code of a {@link #FAULT}. */
    public int errorCode;

    /**
     * Walks.
     *
     * @param gva linear address; in 32-bit modes zero-extended
     * @param access bits of {@link Intercepts} (READ, WRITE, USER, FETCH); {@link Mmu#PROBE} is ignored
     * @param update set accessed and dirty bits
     */
    public int walk(VcpuContext v, Memory memory, long gva, int access, boolean update) {
        int answer;
        do answer = once(v, memory, gva, access, update);
        while (answer == CHANGED);
        return answer;
    }

    private int once(VcpuContext v, Memory memory, long gva, int access, boolean update) {
        CpuState s = v.state;
        if ((s.cr0 & CpuState.CR0_PG) == 0) return identity(gva);
        rights = WRITABLE | USER;
        int answer;
        if ((s.cr4 & CpuState.CR4_PAE) == 0) {
            levels = 2;
            answer = walk32(s, memory, gva, access);
        } else if ((s.efer & CpuState.EFER_LMA) != 0) {
            levels = 4;
            answer = walkWide(s, memory, gva, access, 4, s.cr3 & TABLE);
        } else {
            levels = 3;
            long pdpte = v.guestPdpte[(int) (gva >>> 30) & 3];
            pte[3] = pdpte;
            pteGpa[3] = (s.cr3 & 0xffffffe0L) + (gva >>> 30 & 3) * 8;
            answer = (pdpte & PRESENT) == 0
                    ? fault(s, access, 0)
                    : walkWide(s, memory, gva, access, 2, pdpte & TABLE);
        }
        if (answer != OK) return answer;
        if (!allows(s, access)) return fault(s, access, ERROR_PRESENT);
        dirty = (pte[level] & DIRTY) != 0;
        global = (pte[level] & GLOBAL) != 0 && (s.cr4 & CpuState.CR4_PGE) != 0;
        return update ? update(memory, access) : OK;
    }

    /**
     * Would the page found by the last walk allow another kind of access, with the same registers (SDM 3A 4.6.1)?
     *
     * <p>The answer for supervisor data accesses to user pages under SMAP depends on RFLAGS.AC: it may not be cached.
     */
    public boolean allows(CpuState s, int access) {
        boolean write = (access & Intercepts.WRITE) != 0;
        boolean fetch = (access & Intercepts.FETCH) != 0;
        if ((access & Intercepts.USER) != 0) {
            if ((rights & USER) == 0) return false;
            if (write && (rights & WRITABLE) == 0) return false;
        } else {
            if ((rights & USER) != 0 && (s.cr4 & (CpuState.CR4_SMEP | CpuState.CR4_SMAP)) != 0 && userPageShut(s, fetch)) return false;
            if (write && (rights & WRITABLE) == 0 && (s.cr0 & CpuState.CR0_WP) != 0) return false;
        }
        return !fetch || rights >= 0;
    }

    /**
     * Do SMEP and SMAP forbid a supervisor access to a user page, while paging is on? An access with system rights at CPL 3 is an implicit one,
     * which RFLAGS.AC does not open.
     */
    public static boolean userPageShut(CpuState s, boolean fetch) {
        if (fetch) return (s.cr4 & CpuState.CR4_SMEP) != 0;
        return (s.cr4 & CpuState.CR4_SMAP) != 0 && (s.cpl == 3 || (s.rflagsOther & CpuState.AC) == 0);
    }

    /**
     * Loads the four PDPTEs that CR3 points at, as a load of CR3 in PAE mode does (SDM 3A 4.4.1).
     *
     * @param to receives them, only if all are valid
     * @return false when a present one has reserved bits set: #GP(0)
     */
    public static boolean loadPdptes(VmMemory memory, long cr3, long[] to) {
        long host = memory.host(cr3 & 0xffffffe0L);
        for (int i = 0; host != 0 && i < 4; i++) {
            long e = HostMemory.getLong(host + i * 8);
            if ((e & PRESENT) != 0 && (e & PDPTE_RESERVED) != 0) return false;
        }
        for (int i = 0; i < 4; i++) to[i] = host == 0 ? 0 : HostMemory.getLong(host + i * 8);
        return true;
    }

    /** {@link Memory} straight over a VM's slots; stores of accessed and dirty bits go through the one door. */
    public static Memory over(VmMemory memory) {
        return new Memory() {
            @Override
            public long host(long gpa) {
                return memory.host(gpa);
            }

            @Override
            public long hostForUpdate(long gpa) {
                long host = memory.host(gpa);
                if (host == 0 || memory.readOnly(gpa >>> 12)) return 0;
                memory.beforeWrite(gpa, 1);
                return host;
            }
        };
    }

    private int identity(long gva) {
        gpa = gva & 0xffffffffL;
        levels = 0;
        level = 1;
        pageShift = 12;
        rights = WRITABLE | USER;
        dirty = true;
        global = false;
        return OK;
    }

    /** 32-bit paging, SDM 3A 4.3. */
    private int walk32(CpuState s, Memory memory, long gva, int access) {
        long at = (s.cr3 & 0xfffff000L) + (gva >>> 22 & 0x3ff) * 4;
        long host = memory.host(at);
        if (host < 0) return ABORTED;
        long e = host == 0 ? 0 : HostMemory.getInt(host) & 0xffffffffL;
        pteGpa[2] = at;
        pte[2] = e;
        if ((e & PRESENT) == 0) return fault(s, access, 0);
        rights &= e;
        if ((e & LARGE) != 0 && (s.cr4 & CpuState.CR4_PSE) != 0) {
            if ((e & PSE36_RESERVED) != 0) return fault(s, access, ERROR_PRESENT | ERROR_RESERVED);
            gpa = e & 0xffc00000L | (e >>> PSE36_SHIFT & PSE36_ADDRESS) << 32 | gva & 0x3fffff;
            level = 2;
            pageShift = 22;
            return OK;
        }
        at = (e & 0xfffff000L) + (gva >>> 12 & 0x3ff) * 4;
        host = memory.host(at);
        if (host < 0) return ABORTED;
        e = host == 0 ? 0 : HostMemory.getInt(host) & 0xffffffffL;
        pteGpa[1] = at;
        pte[1] = e;
        if ((e & PRESENT) == 0) return fault(s, access, 0);
        rights &= e;
        gpa = e & 0xfffff000L | gva & 0xfff;
        level = 1;
        pageShift = 12;
        return OK;
    }

    /** PAE paging below the PDPTEs and 4-level paging: entries of 8 bytes, SDM 3A 4.4 and 4.5. */
    private int walkWide(CpuState s, Memory memory, long gva, int access, int from, long table) {
        long reserved = TOO_WIDE | (levels == 3 ? PAE_RESERVED : 0) | ((s.efer & CpuState.EFER_NX) == 0 ? NX : 0);
        for (int l = from; ; l--) {
            int shift = 12 + 9 * (l - 1);
            long at = table + (gva >>> shift & 511) * 8;
            long host = memory.host(at);
            if (host < 0) return ABORTED;
            long e = host == 0 ? 0 : HostMemory.getLong(host);
            pteGpa[l] = at;
            pte[l] = e;
            if ((e & PRESENT) == 0) return fault(s, access, 0);
            boolean leaf = l == 1 || (e & LARGE) != 0;
            // A PML4E has no PS bit; below the page size a large leaf's address bits are reserved, but for bit 12 (PAT).
            long bad = l == 4 ? LARGE : leaf && l > 1 ? (1L << shift) - (1 << 13) : 0;
            if ((e & (reserved | bad)) != 0) return fault(s, access, ERROR_PRESENT | ERROR_RESERVED);
            rights = rights & e | (rights | e) & NX;
            if (leaf) {
                long offset = (1L << shift) - 1;
                gpa = e & TABLE & ~offset | gva & offset;
                level = l;
                pageShift = shift;
                return OK;
            }
            table = e & TABLE;
        }
    }

    /** Each entry is changed as one locked operation, and only if it is still what was read (SDM 3A 4.8). */
    private int update(Memory memory, int access) {
        boolean write = (access & Intercepts.WRITE) != 0;
        // A PAE PDPTE has no accessed bit: it is a register.
        for (int l = levels == 3 ? 2 : levels; l >= level; l--) {
            int bits = l == level && write ? ACCESSED | DIRTY : ACCESSED;
            if ((pte[l] & bits) == bits) continue;
            long host = memory.hostForUpdate(pteGpa[l]);
            if (host < 0) return ABORTED;
            if (host == 0) continue;
            boolean set = levels == 2
                    ? HostMemory.compareAndSetInt(host, (int) pte[l], (int) pte[l] | bits)
                    : HostMemory.compareAndSetLong(host, pte[l], pte[l] | bits);
            if (!set) return CHANGED;
        }
        if (write) dirty = true;
        return OK;
    }

    private int fault(CpuState s, int access, int cause) {
        int code = cause | access & (ERROR_WRITE | ERROR_USER);
        if ((access & Intercepts.FETCH) != 0) {
            boolean nx = (s.cr4 & CpuState.CR4_PAE) != 0 && (s.efer & CpuState.EFER_NX) != 0;
            if (nx || (s.cr4 & CpuState.CR4_SMEP) != 0) code |= ERROR_FETCH;
        }
        errorCode = code;
        return FAULT;
    }
}
