package org.backplane.shadowmmu;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.mmu.MmuView;
import org.backplane.kvm.spi.mmu.Spte;

/**
 * The role of a shadow page: everything besides the guest frame that decides what its entries are. Two uses of one guest
 * page table with different roles need two shadow pages.
 *
 * <pre>
 *  bits 2:0   level of the shadow page, 1 to 4
 *       5:3   levels of the guest's paging: 0 (none), 2, 3, 4
 *       7:6   quadrant: which part of a 4 KiB guest table of 1,024 entries it covers, 32-bit paging only
 *         8   direct: it shadows no guest table but a linear range of gpa (no paging, or a part of a large page)
 *        9    W  the rights that the levels above grant
 *       10    U
 *       11    NX
 *       12    CR0.WP      13 EFER.NX     14 CR4.PSE     15 CR4.SMEP    16 CR4.SMAP
 *       17    clean: a direct part of a large page whose dirty bit is not set
 *       18    global: a direct part of a global large page
 * </pre>
 */
final class Role {
    static final int DIRECT = 1 << 8, W = 1 << 9, U = 1 << 10, NX = 1 << 11, CLEAN = 1 << 17, GLOBAL = 1 << 18;
    private static final int WP = 1 << 12, EFER_NX = 1 << 13, PSE = 1 << 14, SMEP = 1 << 15, SMAP = 1 << 16;

    /** The part of a role that comes from the vCPU's registers. */
    private static final int MODE = 7 << 3 | WP | EFER_NX | PSE | SMEP | SMAP;

    private Role() {}

    /** The part of every role that a vCPU's mode decides. */
    static int mode(CpuState s) {
        if (!s.paging()) return 0;
        int role = WP & -bit(s.cr0 & CpuState.CR0_WP)
                | SMEP & -bit(s.cr4 & CpuState.CR4_SMEP)
                | SMAP & -bit(s.cr4 & CpuState.CR4_SMAP);
        if ((s.cr4 & CpuState.CR4_PAE) == 0) return role | 2 << 3 | PSE & -bit(s.cr4 & CpuState.CR4_PSE);
        role |= EFER_NX & -bit(s.efer & CpuState.EFER_NX);
        return role | (s.longModeActive() ? 4 : 3) << 3;
    }

    private static int bit(long value) {
        return value != 0 ? 1 : 0;
    }

    /** A role below a mode: level, quadrant (0 when there are none), and rights as SPTE bits W, U, NX. */
    static int of(int mode, int level, int quadrant, boolean direct, long rights) {
        int role = mode & MODE | level | quadrant << 6;
        if (direct) role |= DIRECT;
        if ((rights & Spte.W) != 0) role |= W;
        if ((rights & Spte.U) != 0) role |= U;
        if (rights < 0) role |= NX;
        return role;
    }

    static int level(int role) {
        return role & 7;
    }

    static int guestLevels(int role) {
        return role >> 3 & 7;
    }

    static int quadrant(int role) {
        return role >> 6 & 3;
    }

    static boolean direct(int role) {
        return (role & DIRECT) != 0;
    }

    /**
     * The quadrant of a shadow page of a level for a gva, under 32-bit paging: a guest table has twice as many entries as a shadow table per
     * level above it.
     */
    static int quadrant(long gva, int level) {
        return (int) (gva >>> 12 + 9 * level) & (1 << level) - 1;
    }

    /** The rights that the levels above grant, as SPTE bits W, U, NX. */
    static long rights(int role) {
        return ((role & W) != 0 ? Spte.W : 0) | ((role & U) != 0 ? Spte.U : 0) | ((role & NX) != 0 ? Spte.NX : 0);
    }

    static boolean wp(int role) {
        return (role & WP) != 0;
    }

    static boolean clean(int role) {
        return (role & CLEAN) != 0;
    }

    static boolean pse(int role) {
        return (role & PSE) != 0;
    }

    /** For people. */
    static MmuView.TableRole describe(int role) {
        return new MmuView.TableRole(
                level(role),
                guestLevels(role),
                quadrant(role),
                direct(role),
                (role & W) != 0,
                (role & U) != 0,
                (role & NX) != 0,
                wp(role),
                (role & EFER_NX) != 0,
                pse(role),
                (role & SMEP) != 0,
                (role & SMAP) != 0,
                clean(role),
                (role & GLOBAL) != 0);
    }
}
