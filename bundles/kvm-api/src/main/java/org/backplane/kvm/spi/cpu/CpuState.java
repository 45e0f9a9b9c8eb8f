package org.backplane.kvm.spi.cpu;

import java.util.Arrays;

/**
 * The architectural state of one virtual CPU: the one place where it lives.
 *
 * <p><b>Guarantees.</b> At every boundary (whenever code outside the engine sees it) the object is complete: registers,
 * RIP, flags, segments with their hidden parts, control registers, x87/SSE state and every event that is pending,
 * injected or half delivered. A CPU backend rebuilds its VMCS from it; a snapshot of a vCPU is a copy of it.
 *
 * <p><b>Assumes.</b> One thread at a time: the one that runs the vCPU, or another while the vCPU is outside {@code run}.
 * No field is volatile.
 *
 * <p><b>Widths.</b> All registers are 64 bits wide. In modes with 32-bit operands a write of a 32-bit register stores the
 * value zero-extended; addresses ({@code gva}) of 32-bit code are zero-extended too.
 *
 * <p><b>Control registers</b> hold the values that the guest sees. What a backend forces on underneath (CR0.NE, CR0.PG in
 * shadow mode, CR4.VMXE) is kept in its VMCS and never here.
 *
 * <p><b>Arithmetic flags are lazy</b> and have one canonical form, {@link #flagRes} and {@link #flagAux}, so that no card
 * has to know which engine ran last:
 * <ul>
 * <li>ZF = {@code flagRes == 0}</li>
 * <li>SF = {@code flagRes < 0} XOR bit {@link #AUX_SIGN_DELTA}; the result is sign-extended from its operand size</li>
 * <li>PF = even parity of the low byte of {@code flagRes} XOR bits 15:8 of {@code flagAux}</li>
 * <li>CF = bit 31 of {@code flagAux}; OF = bit 31 XOR bit 30 (bit 30 is the carry into the sign bit); AF = bit 3</li>
 * </ul>
 * An addition of 32-bit numbers stores its carry vector {@code (a & b) | ((a | b) & ~sum)} masked with
 * {@link #AUX_MASK}; a logic operation stores zero.
 *
 * <p>The layout is part of the SPI: a change is a new major version of the package.
 */
public final class CpuState {
    /** Indices into {@link #gpr}. */
    public static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;

    /** Indices into the segment arrays. The first six are the encoding of the architecture. */
    public static final int ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5, LDTR = 6, TR = 7;

    /** RFLAGS bits. */
    public static final int CF = 1,
            PF = 1 << 2,
            AF = 1 << 4,
            ZF = 1 << 6,
            SF = 1 << 7,
            TF = 1 << 8,
            IF = 1 << 9,
            DF = 1 << 10,
            OF = 1 << 11,
            IOPL = 3 << 12,
            NT = 1 << 14,
            RF = 1 << 16,
            VM = 1 << 17,
            AC = 1 << 18,
            VIF = 1 << 19,
            VIP = 1 << 20,
            ID = 1 << 21;

    /** The six flags that are kept lazily. */
    public static final int ARITHMETIC_FLAGS = CF | PF | AF | ZF | SF | OF;

    /** Bits of {@link #flagAux}: carry out of the sign bit, carry into it, carry out of bit 3, sign delta. */
    public static final int AUX_CARRY = 1 << 31, AUX_CARRY_IN = 1 << 30, AUX_AF = 1 << 3, AUX_SIGN_DELTA = 1;

    /** What a carry vector keeps of itself in {@link #flagAux}. */
    public static final int AUX_MASK = AUX_CARRY | AUX_CARRY_IN | AUX_AF;

    /** CR0 bits. */
    public static final long CR0_PE = 1,
            CR0_MP = 1 << 1,
            CR0_EM = 1 << 2,
            CR0_TS = 1 << 3,
            CR0_ET = 1 << 4,
            CR0_NE = 1 << 5,
            CR0_WP = 1 << 16,
            CR0_AM = 1 << 18,
            CR0_NW = 1 << 29,
            CR0_CD = 1 << 30,
            CR0_PG = 1L << 31;

    /** CR4 bits. */
    public static final long CR4_VME = 1,
            CR4_PVI = 1 << 1,
            CR4_TSD = 1 << 2,
            CR4_DE = 1 << 3,
            CR4_PSE = 1 << 4,
            CR4_PAE = 1 << 5,
            CR4_MCE = 1 << 6,
            CR4_PGE = 1 << 7,
            CR4_PCE = 1 << 8,
            CR4_OSFXSR = 1 << 9,
            CR4_OSXMMEXCPT = 1 << 10,
            CR4_UMIP = 1 << 11,
            CR4_VMXE = 1 << 13,
            CR4_PCIDE = 1 << 17,
            CR4_OSXSAVE = 1 << 18,
            CR4_SMEP = 1 << 20,
            CR4_SMAP = 1 << 21;

    /** EFER bits. */
    public static final long EFER_SCE = 1, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NX = 1 << 11;

    /** Segment access rights, in the VMX format (SDM 3C 24.4.1): type 3:0, S, DPL, P, AVL, L, D/B, G, unusable. */
    public static final int AR_TYPE = 0xf,
            AR_S = 1 << 4,
            AR_DPL = 3 << 5,
            AR_P = 1 << 7,
            AR_AVL = 1 << 12,
            AR_L = 1 << 13,
            AR_DB = 1 << 14,
            AR_G = 1 << 15,
            AR_UNUSABLE = 1 << 16;

    /** Bits of {@link #blocking}, as in the VMCS's interruptibility state (SDM 3C 24.4.2). */
    public static final int BLOCKING_STI = 1, BLOCKING_MOV_SS = 2, BLOCKING_SMI = 4, BLOCKING_NMI = 8;

    /** Values of {@link #activity} (SDM 3C 24.4.2). */
    public static final int ACTIVE = 0, HLT = 1, SHUTDOWN = 2, WAIT_FOR_SIPI = 3;

    /** Fields of the interruption-information format of {@link #injectInfo} (SDM 3C 24.8.3). */
    public static final int INFO_VALID = 1 << 31, INFO_ERROR_CODE = 1 << 11, INFO_TYPE = 7 << 8;

    /** Event types in bits 10:8 of an interruption-information word. */
    public static final int TYPE_EXTERNAL = 0,
            TYPE_NMI = 2 << 8,
            TYPE_HARDWARE_EXCEPTION = 3 << 8,
            TYPE_SOFTWARE_INTERRUPT = 4 << 8,
            TYPE_PRIVILEGED_SOFTWARE_EXCEPTION = 5 << 8,
            TYPE_SOFTWARE_EXCEPTION = 6 << 8;

    /** Bit of {@link #pendingDebug}: a breakpoint that is enabled was met, or something else that a debug exception is due for. */
    public static final int PENDING_ENABLED = 1 << 12;

    /** The bits of {@link #pendingDebug} that are causes in the format of DR6: B0 to B3, BD, BS. */
    private static final int DEBUG_CAUSES = 0x600f;

    private static final long DR7_GD = 1 << 13;

    /** General registers, indexed by their encoding. */
    public final long[] gpr = new long[16];

    /** Offset of the next instruction in CS; while an instruction runs, of that instruction. */
    public long rip;

    /** RFLAGS without {@link #ARITHMETIC_FLAGS}; bit 1 is always set. */
    public int rflagsOther = 2;

    /** Result of the last operation that set flags, sign-extended to 64 bits. */
    public long flagRes = 1;

    /** Carries and deltas of that operation, see the class comment. */
    public int flagAux;

    /** Selectors, 16 bits. */
    public final int[] segSel = new int[8];

    /** Segment bases, linear addresses. */
    public final long[] segBase = new long[8];

    /** Segment limits in bytes, already scaled by G, 0 to 0xFFFFFFFF. */
    public final long[] segLimit = new long[8];

    /** Access rights, {@code AR_*}. */
    public final int[] segAr = new int[8];

    /** Current privilege level 0 to 3: 0 in real mode, 3 in virtual-8086 mode. Always equal to SS.DPL in protected mode. */
    public int cpl;

    /** GDTR and IDTR: linear base and limit (16 bits). */
    public long gdtBase, idtBase;

    public int gdtLimit, idtLimit;

    /** Control registers as the guest sees them. */
    public long cr0, cr2, cr3, cr4, cr8;

    /** EFER. */
    public long efer;

    /** Debug registers; 4 and 5 are aliases of 6 and 7 and unused here. */
    public final long[] dr = new long[8];

    /** SYSENTER MSRs. */
    public long sysenterCs, sysenterEsp, sysenterEip;

    /** SYSCALL MSRs and the swapped GS base, for 64-bit mode. */
    public long star, lstar, cstar, sfmask, kernelGsBase;

    // ---- x87, MMX, SSE ----

    /** Significands of the physical x87 registers R0 to R7 (not the stack order); an MMX register is the same 64 bits. */
    public final long[] fpMantissa = new long[8];

    /** Sign (bit 15) and biased exponent (bits 14:0) of the physical x87 registers. */
    public final int[] fpSignExp = new int[8];

    /** Control word, and status word without TOP. */
    public int fpControl = 0x037f, fpStatus;

    /** Top of stack, 0 to 7. */
    public int fpTop;

    /** Bit n set: physical register n is empty. (The two-bit tag word is computed from it and the contents.) */
    public int fpEmpty = 0xff;

    /** Last x87 instruction, its operand, and its opcode (11 bits). */
    public long fpInstructionPointer, fpDataPointer;

    public int fpInstructionSelector, fpDataSelector, fpOpcode;

    /** XMM registers: low half at 2n, high half at 2n+1. */
    public final long[] xmm = new long[32];

    /** MXCSR. */
    public int mxcsr = 0x1f80;

    // ---- events: who owns what is contract 5 of the architecture ----

    /** What blocks events at this boundary, {@code BLOCKING_*}. */
    public int blocking;

    /** {@link #ACTIVE}, {@link #HLT}, {@link #SHUTDOWN} or {@link #WAIT_FOR_SIPI}. */
    public int activity;

    /**
     * Pending debug exceptions (SDM 3C 24.4.2): DR6 bits B0 to B3 with {@link #PENDING_ENABLED}, which is alone when DR6 has the cause already, and BS in bit
     * 14. What a fault is to tell DR6 (an instruction breakpoint, BD in bit 13) is here while it is raised, and never at a boundary.
     */
    public long pendingDebug;

    /** An event that the next VM entry delivers: interruption information, 0 when there is none. */
    public int injectInfo;

    /** Error code of {@link #injectInfo}, and the instruction length of a software event. */
    public int injectError, injectLength;

    /** Event whose delivery the last VM exit cut short (IDT-vectoring information), 0 when there is none. */
    public int vectoringInfo;

    public int vectoringError, vectoringLength;

    /** An NMI waits for its window. */
    public boolean nmiPending;

    /** Resets to the state after RESET (SDM 3A table 9-1); the frequency and the caches are not modelled. */
    public void reset() {
        Arrays.fill(gpr, 0);
        gpr[RDX] = 0x600;
        rip = 0xfff0;
        setRflags(2);
        for (int s = 0; s < 8; s++) {
            segSel[s] = 0;
            segBase[s] = 0;
            segLimit[s] = 0xffff;
            segAr[s] = 0x93;
        }
        segSel[CS] = 0xf000;
        segBase[CS] = 0xffff0000L;
        segAr[CS] = 0x9b;
        segAr[LDTR] = 0x82;
        segAr[TR] = 0x8b;
        cpl = 0;
        gdtBase = idtBase = 0;
        gdtLimit = idtLimit = 0xffff;
        cr0 = 0x60000010L;
        cr2 = cr3 = cr4 = cr8 = 0;
        efer = 0;
        Arrays.fill(dr, 0);
        dr[6] = 0xffff0ff0L;
        dr[7] = 0x400;
        sysenterCs = sysenterEsp = sysenterEip = 0;
        star = lstar = cstar = sfmask = kernelGsBase = 0;
        Arrays.fill(fpMantissa, 0);
        Arrays.fill(fpSignExp, 0);
        fpControl = 0x40;
        fpStatus = 0;
        fpTop = 0;
        fpEmpty = 0;
        fpInstructionPointer = fpDataPointer = 0;
        fpInstructionSelector = fpDataSelector = fpOpcode = 0;
        Arrays.fill(xmm, 0);
        mxcsr = 0x1f80;
        blocking = 0;
        activity = ACTIVE;
        pendingDebug = 0;
        injectInfo = injectError = injectLength = 0;
        vectoringInfo = vectoringError = vectoringLength = 0;
        nmiPending = false;
    }

    /** Copies everything from another state. */
    public void copyFrom(CpuState o) {
        System.arraycopy(o.gpr, 0, gpr, 0, gpr.length);
        rip = o.rip;
        rflagsOther = o.rflagsOther;
        flagRes = o.flagRes;
        flagAux = o.flagAux;
        System.arraycopy(o.segSel, 0, segSel, 0, 8);
        System.arraycopy(o.segBase, 0, segBase, 0, 8);
        System.arraycopy(o.segLimit, 0, segLimit, 0, 8);
        System.arraycopy(o.segAr, 0, segAr, 0, 8);
        cpl = o.cpl;
        gdtBase = o.gdtBase;
        gdtLimit = o.gdtLimit;
        idtBase = o.idtBase;
        idtLimit = o.idtLimit;
        cr0 = o.cr0;
        cr2 = o.cr2;
        cr3 = o.cr3;
        cr4 = o.cr4;
        cr8 = o.cr8;
        efer = o.efer;
        System.arraycopy(o.dr, 0, dr, 0, 8);
        sysenterCs = o.sysenterCs;
        sysenterEsp = o.sysenterEsp;
        sysenterEip = o.sysenterEip;
        star = o.star;
        lstar = o.lstar;
        cstar = o.cstar;
        sfmask = o.sfmask;
        kernelGsBase = o.kernelGsBase;
        System.arraycopy(o.fpMantissa, 0, fpMantissa, 0, 8);
        System.arraycopy(o.fpSignExp, 0, fpSignExp, 0, 8);
        fpControl = o.fpControl;
        fpStatus = o.fpStatus;
        fpTop = o.fpTop;
        fpEmpty = o.fpEmpty;
        fpInstructionPointer = o.fpInstructionPointer;
        fpDataPointer = o.fpDataPointer;
        fpInstructionSelector = o.fpInstructionSelector;
        fpDataSelector = o.fpDataSelector;
        fpOpcode = o.fpOpcode;
        System.arraycopy(o.xmm, 0, xmm, 0, xmm.length);
        mxcsr = o.mxcsr;
        blocking = o.blocking;
        activity = o.activity;
        pendingDebug = o.pendingDebug;
        injectInfo = o.injectInfo;
        injectError = o.injectError;
        injectLength = o.injectLength;
        vectoringInfo = o.vectoringInfo;
        vectoringError = o.vectoringError;
        vectoringLength = o.vectoringLength;
        nmiPending = o.nmiPending;
    }

    // ---- flags ----

    public boolean cf() {
        return flagAux < 0;
    }

    public boolean of() {
        return (flagAux ^ flagAux << 1) < 0;
    }

    public boolean zf() {
        return flagRes == 0;
    }

    public boolean sf() {
        return (flagRes < 0) != ((flagAux & AUX_SIGN_DELTA) != 0);
    }

    public boolean af() {
        return (flagAux & AUX_AF) != 0;
    }

    public boolean pf() {
        return (Integer.bitCount((int) (flagRes ^ flagAux >> 8) & 0xff) & 1) == 0;
    }

    /** RFLAGS, all bits. */
    public long rflags() {
        int f = rflagsOther & ~ARITHMETIC_FLAGS;
        if (cf()) f |= CF;
        if (pf()) f |= PF;
        if (af()) f |= AF;
        if (zf()) f |= ZF;
        if (sf()) f |= SF;
        if (of()) f |= OF;
        return f;
    }

    /** Sets all of RFLAGS; bit 1 is forced on, the reserved bits 3, 5 and 15 off. */
    public void setRflags(long value) {
        int f = (int) value;
        rflagsOther = f & ~(ARITHMETIC_FLAGS | 0x8028) | 2;
        setArithmeticFlags(f);
    }

    /** Sets the six arithmetic flags from the same bits of {@code f}. */
    public void setArithmeticFlags(int f) {
        // The low byte of the result decides ZF; SF and PF are then made right by their deltas.
        int res = (f & ZF) != 0 ? 0 : 1;
        int aux = 0;
        if ((f & CF) != 0) aux |= AUX_CARRY;
        if (((f & CF) != 0) != ((f & OF) != 0)) aux |= AUX_CARRY_IN;
        if ((f & AF) != 0) aux |= AUX_AF;
        if ((f & SF) != 0) aux |= AUX_SIGN_DELTA;
        boolean even = res == 0;
        if (((f & PF) != 0) != even) aux |= 1 << 8;
        flagRes = res;
        flagAux = aux;
    }

    public boolean interruptsEnabled() {
        return (rflagsOther & IF) != 0;
    }

    /** An external interrupt can be taken at this boundary: IF is set and nothing blocks (SDM 3C 26.3.1.5). */
    public boolean interruptible() {
        return (rflagsOther & IF) != 0 && (blocking & (BLOCKING_STI | BLOCKING_MOV_SS)) == 0;
    }

    // ---- debug exceptions (SDM 3B 17.2) ----

    /** The pending debug exceptions as DR6 and the qualification of an exit name them. */
    public long debugCauses() {
        return pendingDebug & DEBUG_CAUSES;
    }

    /**
     * A #DB goes to the guest: DR6 gets the pending causes, B0 to B3 these alone, and DR7.GD is cleared so that the handler may look. With nothing pending
     * DR6 is right already: an event that was injected.
     */
    public void enterDebugException() {
        if (pendingDebug != 0) dr[6] = dr[6] & ~0xfL | debugCauses();
        pendingDebug = 0;
        dr[7] &= ~DR7_GD;
    }

    /** B0 to B3 of the instruction breakpoints, enabled in DR7, at the next instruction. */
    public int instructionBreakpoints() {
        if ((dr[7] & 0xff) == 0) return 0;
        long gva = linearRip();
        int hit = 0;
        for (int n = 0; n < 4; n++) {
            boolean enabled = (dr[7] >> 2 * n & 3) != 0, execute = (dr[7] >> 16 + 4 * n & 3) == 0;
            if (enabled && execute && dr[n] == gva) hit |= 1 << n;
        }
        return hit;
    }

    // ---- modes ----

    public boolean protectedMode() {
        return (cr0 & CR0_PE) != 0;
    }

    public boolean paging() {
        return (cr0 & CR0_PG) != 0;
    }

    public boolean vm86() {
        return (rflagsOther & VM) != 0;
    }

    /** The current address space's identifier (SDM 3A 4.10.1): 0 without CR4.PCIDE. */
    public int pcid() {
        return (cr4 & CR4_PCIDE) != 0 ? (int) cr3 & 0xfff : 0;
    }

    public boolean longModeActive() {
        return (efer & EFER_LMA) != 0;
    }

    /** Real mode or virtual-8086 mode: selectors are paragraphs. */
    public boolean realOrVm86() {
        return (cr0 & CR0_PE) == 0 || (rflagsOther & VM) != 0;
    }

    /** The default operand and address size of the code segment in bits: 16, 32, or 64 in 64-bit mode. */
    public int codeBits() {
        if (longModeActive() && (segAr[CS] & AR_L) != 0) return 64;
        return (segAr[CS] & AR_DB) != 0 ? 32 : 16;
    }

    /** Linear address of the next instruction. */
    public long linearRip() {
        long gva = segBase[CS] + rip;
        return codeBits() == 64 ? gva : gva & 0xffffffffL;
    }

    /** The x87 status word with TOP in bits 13:11. */
    public int fpStatusWord() {
        return fpStatus & ~0x3800 | fpTop << 11;
    }

    /** Sets status word and TOP. */
    public void setFpStatusWord(int value) {
        fpTop = value >> 11 & 7;
        fpStatus = value & 0xffff & ~0x3800;
    }
}
