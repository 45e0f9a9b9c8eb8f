package org.backplane.x86.isa.fpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The memory images of the x87 state: environment (FNSTENV, FLDENV), full state (FNSAVE, FRSTOR) and FXSAVE.
 *
 * <p>The images are built in, and read from, a byte array of the caller; the caller moves it to and from guest memory, and changes
 * the state only when that did not fault: {@link #environment} and {@link #state} have no side effect, {@link #fnstenv} and
 * {@link X87#fninit} are what follows the store of FNSTENV and FNSAVE.
 */
public final class X87Image {
    /** Layouts of the environment (SDM 1 figures 8-9 to 8-12): bit 0 is the 32-bit operand size, bit 1 protected mode. */
    public static final int REAL_16 = 0, REAL_32 = 1, PROTECTED_16 = 2, PROTECTED_32 = 3;

    /** Bits of MXCSR that may be set, as FXSAVE reports them. */
    public static final int MXCSR_MASK = 0xffff;

    private static final VarHandle SHORT =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Upper halves of the 16-bit fields in the 32-bit layouts, as processors write them. */
    private static final int RESERVED_HIGH = 0xffff0000;

    // Offsets in an FXSAVE image (SDM 1 table 10-2).
    private static final int FX_REGISTERS = 32, FX_XMM = 160;

    private X87Image() {}

    /** Bytes of an environment: 14 or 28. */
    public static int environmentSize(int format) {
        return (format & 1) == 0 ? 14 : 28;
    }

    /** Bytes of a full state: 94 or 108. */
    public static int stateSize(int format) {
        return environmentSize(format) + 80;
    }

    /** The tag word: two bits per physical register, 0 valid, 1 zero, 2 special, 3 empty. */
    public static int tagWord(CpuState s) {
        int tags = 0;
        for (int r = 0; r < 8; r++) tags |= tag(s, r) << 2 * r;
        return tags;
    }

    private static int tag(CpuState s, int reg) {
        if ((s.fpEmpty >> reg & 1) != 0) return 3;
        int exp = s.fpSignExp[reg] & Ext.MAX;
        long m = s.fpMantissa[reg];
        if (exp == 0 && m == 0) return 1;
        return exp == 0 || exp == Ext.MAX || m >= 0 ? 2 : 0;
    }

    /** What FNSTENV stores: fills the first {@link #environmentSize} bytes of {@code out}. */
    public static void environment(CpuState s, byte[] out, int format) {
        int fip = (int) s.fpInstructionPointer, fdp = (int) s.fpDataPointer;
        int cs = s.fpInstructionSelector & 0xffff, ds = s.fpDataSelector & 0xffff;
        int opcode = s.fpOpcode & 0x7ff;
        boolean real = (format & 2) == 0;
        if (real) {
            fip += cs << 4;
            fdp += ds << 4;
        }
        if ((format & 1) == 0) {
            SHORT.set(out, 0, (short) X87.fnstcw(s));
            SHORT.set(out, 2, (short) s.fpStatusWord());
            SHORT.set(out, 4, (short) tagWord(s));
            SHORT.set(out, 6, (short) fip);
            SHORT.set(out, 8, (short) (real ? fip >> 4 & 0xf000 | opcode : cs));
            SHORT.set(out, 10, (short) fdp);
            SHORT.set(out, 12, (short) (real ? fdp >> 4 & 0xf000 : ds));
        } else {
            INT.set(out, 0, RESERVED_HIGH | X87.fnstcw(s));
            INT.set(out, 4, RESERVED_HIGH | s.fpStatusWord());
            INT.set(out, 8, RESERVED_HIGH | tagWord(s));
            INT.set(out, 12, real ? RESERVED_HIGH | fip & 0xffff : fip);
            INT.set(out, 16, real ? fip >>> 16 << 12 | opcode : opcode << 16 | cs);
            INT.set(out, 20, real ? RESERVED_HIGH | fdp & 0xffff : fdp);
            INT.set(out, 24, real ? fdp >>> 16 << 12 : RESERVED_HIGH | ds);
        }
    }

    /** What FNSTENV does after its store: masks all exceptions. */
    public static void fnstenv(CpuState s) {
        s.fpControl |= X87.EXCEPTIONS;
        Status.summarize(s);
    }

    /** FLDENV. */
    public static void fldenv(CpuState s, byte[] in, int format) {
        boolean wide = (format & 1) != 0, real = (format & 2) == 0;
        int step = wide ? 4 : 2;
        int tags = half(in, 2 * step);
        int low = wide && !real ? (int) INT.get(in, 12) : half(in, 3 * step);
        int next = wide ? (int) INT.get(in, 16) : half(in, 8);
        int dataLow = wide && !real ? (int) INT.get(in, 20) : half(in, 5 * step);
        int last = wide ? (int) INT.get(in, 24) : half(in, 12);
        if (real) {
            s.fpInstructionPointer = (next << 4 & 0xffff0000 | low) & 0xffffffffL;
            s.fpDataPointer = (last << 4 & 0xffff0000 | dataLow) & 0xffffffffL;
            s.fpInstructionSelector = s.fpDataSelector = 0;
            s.fpOpcode = next & 0x7ff;
        } else {
            s.fpInstructionPointer = low & 0xffffffffL;
            s.fpDataPointer = dataLow & 0xffffffffL;
            s.fpInstructionSelector = next & 0xffff;
            s.fpDataSelector = last & 0xffff;
            s.fpOpcode = wide ? next >> 16 & 0x7ff : 0;
        }
        s.fpEmpty = 0;
        for (int r = 0; r < 8; r++) if ((tags >> 2 * r & 3) == 3) s.fpEmpty |= 1 << r;
        s.setFpStatusWord(half(in, step));
        X87.fldcw(s, half(in, 0));
    }

    /** What FNSAVE stores: fills the first {@link #stateSize} bytes of {@code out}. Afterwards FNSAVE does what FNINIT does. */
    public static void state(CpuState s, byte[] out, int format) {
        environment(s, out, format);
        int at = environmentSize(format);
        for (int i = 0; i < 8; i++, at += 10) {
            int reg = s.fpTop + i & 7;
            LONG.set(out, at, s.fpMantissa[reg]);
            SHORT.set(out, at + 8, (short) s.fpSignExp[reg]);
        }
    }

    /** FRSTOR. */
    public static void frstor(CpuState s, byte[] in, int format) {
        fldenv(s, in, format);
        registers(s, in, environmentSize(format), 10);
    }

    private static void registers(CpuState s, byte[] in, int at, int step) {
        for (int i = 0; i < 8; i++, at += step) {
            int reg = s.fpTop + i & 7;
            s.fpMantissa[reg] = (long) LONG.get(in, at);
            s.fpSignExp[reg] = half(in, at + 8);
        }
    }

    /**
     * FXSAVE: fills {@code out} up to the returned length.
     *
     * @param xmmRegisters 8, 16 in 64-bit mode, 0 when CR4.OSFXSR is clear (MXCSR is left out then, too)
     * @param wide with REX.W: 64-bit pointers instead of selector and offset
     * @return bytes to store: the rest of the 512 is not touched
     */
    public static int fxsave(CpuState s, byte[] out, int xmmRegisters, boolean wide) {
        Arrays.fill(out, 0, FX_XMM, (byte) 0);
        SHORT.set(out, 0, (short) X87.fnstcw(s));
        SHORT.set(out, 2, (short) s.fpStatusWord());
        out[4] = (byte) ~s.fpEmpty;
        SHORT.set(out, 6, (short) (s.fpOpcode & 0x7ff));
        if (wide) {
            LONG.set(out, 8, s.fpInstructionPointer);
            LONG.set(out, 16, s.fpDataPointer);
        } else {
            INT.set(out, 8, (int) s.fpInstructionPointer);
            SHORT.set(out, 12, (short) s.fpInstructionSelector);
            INT.set(out, 16, (int) s.fpDataPointer);
            SHORT.set(out, 20, (short) s.fpDataSelector);
        }
        for (int i = 0; i < 8; i++) {
            int reg = s.fpTop + i & 7, at = FX_REGISTERS + 16 * i;
            LONG.set(out, at, s.fpMantissa[reg]);
            SHORT.set(out, at + 8, (short) s.fpSignExp[reg]);
        }
        if (xmmRegisters == 0) return FX_XMM;
        INT.set(out, 24, s.mxcsr);
        INT.set(out, 28, MXCSR_MASK);
        for (int i = 0; i < 2 * xmmRegisters; i++) LONG.set(out, FX_XMM + 8 * i, s.xmm[i]);
        return FX_XMM + 16 * xmmRegisters;
    }

    /** FXRSTOR; the arguments are those of {@link #fxsave}. False (and nothing loaded) when MXCSR has reserved bits: #GP(0). */
    public static boolean fxrstor(CpuState s, byte[] in, int xmmRegisters, boolean wide) {
        if (xmmRegisters != 0) {
            int mxcsr = (int) INT.get(in, 24);
            if ((mxcsr & ~MXCSR_MASK) != 0) return false;
            s.mxcsr = mxcsr;
            for (int i = 0; i < 2 * xmmRegisters; i++) s.xmm[i] = (long) LONG.get(in, FX_XMM + 8 * i);
        }
        s.fpEmpty = ~in[4] & 0xff;
        s.fpOpcode = half(in, 6) & 0x7ff;
        if (wide) {
            s.fpInstructionPointer = (long) LONG.get(in, 8);
            s.fpDataPointer = (long) LONG.get(in, 16);
            s.fpInstructionSelector = s.fpDataSelector = 0;
        } else {
            s.fpInstructionPointer = (int) INT.get(in, 8) & 0xffffffffL;
            s.fpInstructionSelector = half(in, 12);
            s.fpDataPointer = (int) INT.get(in, 16) & 0xffffffffL;
            s.fpDataSelector = half(in, 20);
        }
        s.setFpStatusWord(half(in, 2));
        X87.fldcw(s, half(in, 0));
        registers(s, in, FX_REGISTERS, 16);
        return true;
    }

    private static int half(byte[] in, int at) {
        return (short) SHORT.get(in, at) & 0xffff;
    }
}
