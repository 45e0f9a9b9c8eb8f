package org.backplane.x86.isa.oracle;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The CPU that this JVM runs on, as an oracle: executes given machine code in 32-bit or 64-bit user mode with given
 * registers, flags, x87/SSE state and a memory operand, and gives back all of them.
 *
 * <p><b>How.</b> One mapping below 2 GiB holds a stub, the code, a context and an operand buffer. The stub, called through
 * FFM, saves the JVM's state, goes to 32-bit code by a far jump to Linux's 32-bit user code selector, loads the registers from
 * the context, runs the code, stores the registers and comes back the same way. All addresses are absolute.
 *
 * <p><b>Assumes.</b> Linux on x86-64. The code must not fault, as a signal would end the JVM; faulting cases are
 * tested from the SDM elsewhere. It may leave unmasked x87 exceptions pending: nothing here waits for them. ESP may have any value
 * as long as the code does not use the stack, for Linux would only touch it to deliver a signal.
 * One thread at a time.
 */
public final class HostCpu implements AutoCloseable {
    /** Selectors of Linux for user mode: 32-bit code, 64-bit code, data. */
    private static final int CODE32 = 0x23, CODE64 = 0x33, DATA = 0x2b;

    private static final int PROT_READ_WRITE_EXEC = 7, MAP_PRIVATE_ANONYMOUS = 0x22;

    // Offsets in the mapping.
    private static final int ENTRY = 0, BACK = 0x100, CODE = 0x400;
    private static final int IN = 0x1000, OUT = 0x1100, FLAGS_IN = 0x1200, FLAGS_OUT = 0x1208;
    private static final int HOST_RSP = 0x1210, FAR_POINTER = 0x1218;
    private static final int FX_IN = 0x1400, FX_OUT = 0x1600, FX_HOST = 0x1800;
    private static final int OPERANDS = 0x2000, SIZE = 0x8000;

    /** Bytes of the operand buffer. */
    public static final int OPERAND_BYTES = 0x4000;

    /** Bytes of an FXSAVE image. */
    public static final int FX_BYTES = 512;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final int bits;
    private final MemorySegment map;
    private final int base;
    private final MethodHandle entry;
    private boolean usesFpu = true;
    private int codeOffset;

    /**
     * The oracle, or null where it does not work: not Linux on x86-64, or a system that gives no memory that is both writable and
     * executable.
     *
     * @param bits 32 or 64, the mode of the code to run
     */
    public static HostCpu create(int bits) {
        boolean linux = System.getProperty("os.name").equals("Linux");
        if (!linux || !System.getProperty("os.arch").equals("amd64")) return null;
        int base = mapLow();
        return base == 0 ? null : new HostCpu(bits, base);
    }

    private HostCpu(int bits, int base) {
        this.bits = bits;
        this.base = base;
        map = MemorySegment.ofAddress(base).reinterpret(SIZE, Arena.global(), null);
        Linker linker = Linker.nativeLinker();
        entry = linker.downcallHandle(MemorySegment.ofAddress(base + ENTRY), FunctionDescriptor.ofVoid());
        writeStub();
        MemorySegment fx = fxIn();
        fx.set(ValueLayout.JAVA_SHORT, 0, (short) 0x37f);
        fx.set(INT, 24, 0x1f80);
        load(new byte[0]);
    }

    /**
     * Maps memory below 2 GiB at the first free one of some addresses; 0 when there is none. The first one is nearly always free, so that
     * results which hold addresses are the same from run to run.
     */
    private static int mapLow() {
        Linker linker = Linker.nativeLinker();
        MethodHandle mmap = linker.downcallHandle(
                linker.defaultLookup().find("mmap").orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG));
        try {
            for (long hint = 0x10000000; hint < 0x7f000000; hint += 0x1000000) {
                long address = (long)
                        mmap.invokeExact(hint, (long) SIZE, PROT_READ_WRITE_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0L);
                if (address > 0 && address < 0x7fff0000L) return (int) address;
                if (address > 0) unmap(address);
            }
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
        return 0;
    }

    private static void unmap(long address) {
        Linker linker = Linker.nativeLinker();
        MethodHandle munmap = linker.downcallHandle(
                linker.defaultLookup().find("munmap").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        try {
            int result = (int) munmap.invokeExact(address, (long) SIZE);
            if (result != 0) throw new IllegalStateException("munmap");
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    @Override
    public void close() {
        unmap(base);
    }

    /** Whether the next {@link #load} makes code that loads and stores the FXSAVE image; true at first. Integer code runs faster without. */
    public void useFpu(boolean on) {
        usesFpu = on;
    }

    /** Sets the code that {@link #run} executes; it runs from its first byte to past its last. */
    public void load(byte[] code) {
        Assembly a = new Assembly();
        if (bits == 32) prologue32(a);
        else prologue64(a);
        codeOffset = CODE + a.out.size();
        a.bytes(code);
        if (bits == 32) epilogue32(a);
        else epilogue64(a);
        a.copyTo(CODE);
    }

    /** Linear address of the first byte of the code; the same for every code while {@link #useFpu} does not change. */
    public int codeAddress() {
        return base + codeOffset;
    }

    /** Runs the code once. */
    public void run() {
        try {
            entry.invokeExact();
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    /** Input value of a general register, by its encoding. */
    public void gpr(int n, long value) {
        map.set(LONG, IN + 8 * n, value);
    }

    /** Value of a general register after the run. In 32-bit mode zero-extended. */
    public long gpr(int n) {
        return bits == 32 ? map.get(INT, OUT + 8 * n) & 0xffffffffL : map.get(LONG, OUT + 8 * n);
    }

    /** Input flags. TF and AC must not be set. */
    public void flags(int value) {
        map.set(LONG, FLAGS_IN, value);
    }

    /** Flags after the run. */
    public int flags() {
        return map.get(INT, FLAGS_OUT);
    }

    /** The FXSAVE image to load (512 bytes). */
    public MemorySegment fxIn() {
        return map.asSlice(FX_IN, FX_BYTES);
    }

    /** The FXSAVE image after the run (512 bytes). */
    public MemorySegment fxOut() {
        return map.asSlice(FX_OUT, FX_BYTES);
    }

    /** The operand buffer: input and output, {@link #OPERAND_BYTES} bytes at {@link #operandAddress}. */
    public MemorySegment operands() {
        return map.asSlice(OPERANDS, OPERAND_BYTES);
    }

    /** Linear address of the operand buffer, below 2 GiB. */
    public int operandAddress() {
        return base + OPERANDS;
    }

    // ---- the stub ----

    private void writeStub() {
        Assembly a = new Assembly();
        a.bytes(0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57); // push rbx rbp r12 r13 r14 r15
        a.bytes(0x48, 0x89, 0x24, 0x25).address(HOST_RSP); // mov [HOST_RSP], rsp
        a.bytes(0x48, 0x0f, 0xae, 0x04, 0x25).address(FX_HOST); // fxsave64
        if (bits == 32) a.bytes(0xff, 0x2c, 0x25).address(FAR_POINTER); // jmp far [FAR_POINTER]
        else a.bytes(0xff, 0x24, 0x25).address(FAR_POINTER); // jmp [FAR_POINTER]
        a.copyTo(ENTRY);
        a = new Assembly();
        a.bytes(0x48, 0x8b, 0x24, 0x25).address(HOST_RSP); // mov rsp, [HOST_RSP]
        a.bytes(0x6a, 0x02, 0x9d); // push 2; popf
        a.bytes(0x48, 0x0f, 0xae, 0x0c, 0x25).address(FX_HOST); // fxrstor64
        a.bytes(0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3); // pop ...; ret
        a.copyTo(BACK);
        map.set(LONG, FAR_POINTER, base + CODE);
        if (bits == 32) map.set(ValueLayout.JAVA_SHORT, FAR_POINTER + 4, (short) CODE32);
    }

    private void prologue32(Assembly a) {
        a.bytes(0xb8, DATA, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xc0); // mov eax, DATA; mov ds, eax; mov es, eax
        a.bytes(0xbc).address(FLAGS_IN).bytes(0x9d); // mov esp, FLAGS_IN; popfd
        if (usesFpu) a.bytes(0x0f, 0xae, 0x0d).address(FX_IN); // fxrstor
        for (int r = 0; r < 8; r++) a.bytes(0x8b, 0x05 | r << 3).address(IN + 8 * r); // mov r32, [IN + 8r]
    }

    private void epilogue32(Assembly a) {
        a.bytes(0x89, 0x25).address(OUT + 32); // mov [OUT + 32], esp
        a.bytes(0xbc).address(FLAGS_OUT + 4).bytes(0x9c); // mov esp, FLAGS_OUT + 4; pushfd
        for (int r = 0; r < 8; r++) if (r != 4) a.bytes(0x89, 0x05 | r << 3).address(OUT + 8 * r);
        if (usesFpu) a.bytes(0x0f, 0xae, 0x05).address(FX_OUT).bytes(0xdb, 0xe3); // fxsave; fninit
        a.bytes(0xea).address(BACK).bytes(CODE64, 0); // jmp far CODE64:BACK
    }

    private void prologue64(Assembly a) {
        a.bytes(0xbc).address(FLAGS_IN).bytes(0x9d); // mov esp, FLAGS_IN; popfq
        if (usesFpu) a.bytes(0x48, 0x0f, 0xae, 0x0c, 0x25).address(FX_IN); // fxrstor64
        for (int r = 0; r < 16; r++) a.bytes(0x48 | r >> 3 << 2, 0x8b, 4 | (r & 7) << 3, 0x25).address(IN + 8 * r);
    }

    private void epilogue64(Assembly a) {
        a.bytes(0x48, 0x89, 0x24, 0x25).address(OUT + 32); // mov [OUT + 32], rsp
        a.bytes(0xbc).address(FLAGS_OUT + 8).bytes(0x9c); // mov esp, FLAGS_OUT + 8; pushfq
        for (int r = 0; r < 16; r++) {
            if (r != 4) a.bytes(0x48 | r >> 3 << 2, 0x89, 4 | (r & 7) << 3, 0x25).address(OUT + 8 * r);
        }
        if (usesFpu) a.bytes(0x48, 0x0f, 0xae, 0x04, 0x25).address(FX_OUT).bytes(0xdb, 0xe3); // fxsave64; fninit
        a.bytes(0xff, 0x24, 0x25).address(FAR_POINTER + 8); // jmp [FAR_POINTER + 8]
        map.set(LONG, FAR_POINTER + 8, base + BACK);
    }

    /** Bytes of machine code under construction. */
    private final class Assembly {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Assembly bytes(int... values) {
            for (int v : values) out.write(v);
            return this;
        }

        Assembly bytes(byte[] values) {
            out.writeBytes(values);
            return this;
        }

        /** The absolute address of an offset in the mapping, 32 bits. */
        Assembly address(int offset) {
            int v = base + offset;
            return bytes(v, v >> 8, v >> 16, v >> 24);
        }

        void copyTo(int offset) {
            MemorySegment.copy(MemorySegment.ofArray(out.toByteArray()), 0, map, offset, out.size());
        }
    }
}
