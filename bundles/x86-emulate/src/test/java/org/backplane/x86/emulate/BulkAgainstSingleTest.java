package org.backplane.x86.emulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.x86.isa.Decoder;
import org.backplane.x86.isa.Disassembler;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.OpcodeTable;
import org.junit.jupiter.api.Test;

/**
 * Random short programs, in blocks with the hot elements and fused ends on one machine, instruction by instruction over {@code
 * emulateOne}'s callbacks on another: registers, flags, RIP, faults and memory must agree. This is what holds the two paths to one
 * semantics.
 */
class BulkAgainstSingleTest {
    private static final long CODE = 0x1000, DATA = 0x4000, SIZE = 0x10000;
    private static final int PROGRAMS = 6000;

    /** Where carries, signs and overflows happen. */
    private static final int[] EDGES = {
        0, 1, -1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80000001, 0x0f, 0x10
    };

    /** Programs that were compared to the end. */
    private int compared;

    private final Random random = new Random(20070205);
    private final Decoder decoder = new Decoder();

    @Test
    void flat32BitProgramsGiveTheSameInBlocksAndSingly() {
        compare(32, true);
    }

    @Test
    void segmented16BitProgramsGiveTheSameInBlocksAndSingly() {
        compare(16, false);
    }

    @Test
    void segmented32BitProgramsGiveTheSameInBlocksAndSingly() {
        compare(32, false);
    }

    private void compare(int bits, boolean flat) {
        try (TestMachine bulk = new TestMachine(SIZE);
                TestMachine single = new TestMachine(SIZE)) {
            TestOps ops = new TestOps(single);
            List<Opcode> opcodes = eligible();
            for (int n = 0; n < PROGRAMS; n++) {
                byte[] program = program(opcodes, bits);
                prepare(bulk, program, bits, flat, n);
                prepare(single, program, bits, flat, n);
                int count = singly(single, ops, program.length);
                if (count > 0) bulk.run(count + BlockBuilder.MAX_INSTRUCTIONS - count);
                check(bulk, single, program, bits, n);
            }
        }
        assertTrue(compared > PROGRAMS / 2, () -> "only " + compared + " programs ran to a comparison");
    }

    /** Everything that neither leaves the code nor asks the world. */
    private static List<Opcode> eligible() {
        List<Opcode> list = new ArrayList<>();
        for (Opcode o : OpcodeTable.all()) {
            boolean jcc = o.is(Opcode.JUMP) && o.mnemonic.name().startsWith("J") && o.operand(0).equals("Jb");
            if (o.is(Opcode.IO) || o.is(Opcode.CPL0) || o.is(Opcode.END) || o.is(Opcode.PROT)) continue;
            if (o.is(Opcode.JUMP) && !jcc) continue;
            if (o.is(Opcode.FPU) || o.is(Opcode.FPU0) || o.is(Opcode.MMX) || o.is(Opcode.REP)) continue;
            if (o.key.length() > 3 && o.key.startsWith("0F01")) continue;
            list.add(o);
        }
        return list;
    }

    private byte[] program(List<Opcode> opcodes, int bits) {
        byte[] out = new byte[64];
        int at = 0;
        int n = 1 + random.nextInt(6);
        for (int k = 0; k < n; k++) {
            byte[] one = instruction(opcodes.get(random.nextInt(opcodes.size())), bits);
            Insn i = decoder.decode(one, 0, 15, bits);
            if (i.opcode == OpcodeTable.UNDEFINED) continue;
            if (i.kind0 == Insn.REL) one[i.length - 1] = 0; // a jump goes to what follows it, taken or not
            System.arraycopy(one, 0, out, at, i.length);
            at += i.length;
        }
        out[at++] = (byte) 0xf4;
        return java.util.Arrays.copyOf(out, at);
    }

    private byte[] instruction(Opcode o, int bits) {
        byte[] b = new byte[24];
        random.nextBytes(b);
        int at = 0;
        if (random.nextInt(5) == 0) b[at++] = 0x66;
        if (random.nextInt(12) == 0) b[at++] = 0x67;
        if (random.nextInt(8) == 0) b[at++] = (byte) new int[] {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}[random.nextInt(6)];
        String key = o.key;
        int slash = key.indexOf('/');
        String hex = slash < 0 ? key.replace("+", "") : key.substring(0, slash);
        for (int k = 0; k < hex.length(); k += 2) b[at++] = (byte) Integer.parseInt(hex.substring(k, k + 2), 16);
        if (key.endsWith("+")) b[at - 1] += (byte) random.nextInt(8);
        if (slash > 0 && key.charAt(slash + 1) != '*') b[at] = (byte) (b[at] & 0xc7 | key.charAt(slash + 1) - '0' << 3);
        // Displacements of four bytes would nearly always miss the memory.
        if (bits == 32 && (b[at] & 0xc0) == 0x80) b[at] ^= (byte) 0xc0;
        return b;
    }

    private void prepare(TestMachine m, byte[] program, int bits, boolean flat, int seed) {
        Random r = new Random(seed);
        CpuState s = m.s;
        s.reset();
        m.flat32();
        for (int seg = 0; seg < 6; seg++) {
            if (bits == 16) s.segAr[seg] &= ~(CpuState.AR_DB | CpuState.AR_G);
            if (!flat && seg != CpuState.CS) {
                s.segBase[seg] = 0x100L * seg;
                s.segLimit[seg] = 0xefff - 0x100L * seg;
            }
        }
        if (bits == 16) s.segLimit[CpuState.CS] = 0xffff;
        for (int g = 0; g < 8; g++) s.gpr[g] = r.nextInt(2) == 0 ? number(r) : DATA + r.nextInt(0x2000);
        s.gpr[CpuState.RSP] = 0x9000 + r.nextInt(64);
        s.setRflags(r.nextInt() & (CpuState.ARITHMETIC_FLAGS | CpuState.DF));
        for (long a = 0; a < DATA - 0x800; a += 8) m.put64(a, 0);
        for (long a = DATA - 0x800; a < SIZE; a += 4) m.put32(a, number(r));
        // The IDT is empty: a fault ends in a triple fault, after the log of what it was.
        s.idtLimit = 0;
        m.v.exceptionBitmap = -1;
        m.log.clear();
        m.write(CODE, program, 0, program.length);
        s.rip = CODE;
        m.v.instructions = 0;
        m.v.tlb.flush(false);
    }

    private static long number(Random r) {
        return (r.nextInt(3) == 0 ? r.nextInt() : EDGES[r.nextInt(EDGES.length)]) & 0xffffffffL;
    }

    private static int singly(TestMachine m, TestOps ops, int limit) {
        int count = 0;
        while (count < limit && m.s.activity == CpuState.ACTIVE) {
            int r = m.emulator.emulateOne(m.v, ops);
            if (r == Emulator.PROPAGATE_FAULT) {
                m.log.add("#" + m.v.faultVector + ' ' + Integer.toHexString(Math.max(m.v.faultError, 0)));
                return count + 1;
            }
            if (r != Emulator.CONTINUE) {
                m.log.add("unhandled");
                return 0;
            }
            count++;
        }
        return count;
    }

    private void check(TestMachine bulk, TestMachine single, byte[] program, int bits, int n) {
        if (single.log.contains("unhandled")) return; // beyond memory
        compared++;
        String name = n + ": " + text(program, bits);
        String fault = single.log.isEmpty() ? "" : single.log.get(0);
        assertEquals(fault, bulk.log.isEmpty() ? "" : bulk.log.get(0), name);
        for (int g = 0; g < 8; g++) assertEquals(Long.toHexString(single.reg(g)), Long.toHexString(bulk.reg(g)), name + " r" + g);
        assertEquals(Long.toHexString(single.s.rflags()), Long.toHexString(bulk.s.rflags()), name + " flags");
        assertEquals(single.s.rip, bulk.s.rip, name + " rip");
        for (long a = DATA - 0x800; a < SIZE; a += 8) {
            assertEquals(single.read(a, 8), bulk.read(a, 8), name + " at " + Long.toHexString(a));
        }
    }

    private String text(byte[] program, int bits) {
        StringBuilder out = new StringBuilder(HexFormat.of().formatHex(program)).append(' ');
        byte[] padded = java.util.Arrays.copyOf(program, program.length + 16);
        for (int at = 0; at < program.length; ) {
            Insn i = decoder.decode(padded, at, 15, bits);
            out.append(Disassembler.text(i, CODE + at)).append("; ");
            at += i.length;
        }
        return out.toString();
    }
}
