package org.backplane.x86.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.Test;

/** The decoder and the disassembler: their own rules, a recorded corpus of NASM's disassembler, and that program itself where it is installed. */
class DecoderTest {
    private final Decoder decoder = new Decoder();

    private Insn decode(String hex, int bits) {
        byte[] b = HexFormat.of().parseHex(hex.replace(" ", ""));
        return decoder.decode(Arrays.copyOf(b, b.length + 15), 0, 15, bits);
    }

    // ---- rules ----

    @Test
    void instructionThatNeedsMoreBytesThanThereAreIsNull() {
        byte[] b = HexFormat.of().parseHex("b811223344");
        for (int n = 0; n < 5; n++) assertNull(decoder.decode(b, 0, n, 32));
        assertNotNull(decoder.decode(b, 0, 5, 32));
    }

    @Test
    void sixteenBytesAreTooLongWhateverTheyAre() {
        assertSame(OpcodeTable.TOO_LONG, decode("66".repeat(15) + "90", 32).opcode);
        assertEquals(15, decode("66".repeat(14) + "90", 32).length);
        assertSame(OpcodeTable.TOO_LONG, decode("67".repeat(11) + "b811223344", 32).opcode);
    }

    @Test
    void lockIsLegalOnlyWithALockableOpcodeAndAMemoryDestination() {
        for (Opcode o : OpcodeTable.all()) {
            if (!o.is(Opcode.LOCK)) continue;
            String hex = o.key.replaceAll("[/+].*", "");
            int reg = o.key.indexOf('/') > 0 ? o.key.charAt(o.key.indexOf('/') + 1) - '0' : 0;
            assertSame(o, decode("f0" + hex + String.format("%02x", reg << 3 | 3), 32).opcode, o.key);
            assertSame(OpcodeTable.UNDEFINED, decode("f0" + hex + String.format("%02x", reg << 3 | 0xc3), 32).opcode, o.key);
        }
        assertSame(OpcodeTable.UNDEFINED, decode("f00303", 32).opcode); // ADD r,m
        assertSame(OpcodeTable.UNDEFINED, decode("f090", 32).opcode);
    }

    @Test
    void lastOfTwoRepeatPrefixesCounts() {
        Insn i = decode("f3f2a6", 32);
        assertTrue(i.repne && !i.rep);
    }

    @Test
    void defaultSegmentIsSsForStackBasesAndDsElse() {
        assertEquals(CpuState.SS, decode("8b4500", 32).segment);
        assertEquals(CpuState.SS, decode("8b0424", 32).segment);
        assertEquals(CpuState.DS, decode("8b042d00000000", 32).segment); // EBP as an index
        assertEquals(CpuState.SS, decode("8b4600", 16).segment);
        assertEquals(CpuState.DS, decode("8b060010", 16).segment);
        assertEquals(CpuState.FS, decode("648b4500", 32).segment);
    }

    @Test
    void rexPrefixGivesSixtyFourBitOperandsAndUpperRegisters() {
        Insn i = decode("4d8b04d9", 64);
        assertEquals(8, i.size0);
        assertEquals(8, i.number0);
        assertEquals(9, i.base);
        assertEquals(3, i.indexRegister);
        assertEquals("mov r8,[r9+rbx*8]", Disassembler.text(i, 0));
        assertSame(OpcodeTable.UNDEFINED, decode("06", 64).opcode);
        assertEquals(8, decode("50", 64).operandSize);
        assertTrue(decode("8b0500000000", 64).ripRelative);
    }

    @Test
    void eightBitRegistersWithRexAreLowBytes() {
        assertEquals(Insn.REG_HIGH, decode("88e0", 64).kind1);
        assertEquals(Insn.REG, decode("4088e0", 64).kind1);
    }

    @Test
    void everyLineOfTheTableDecodesToItself() {
        for (Opcode o : OpcodeTable.all()) {
            String key = o.key;
            String hex = key.replace("F3_", "F3").replace("66_", "66").replaceAll("[/+].*", "").replace("_", "");
            if (key.indexOf('/') > 0) {
                char reg = key.charAt(key.indexOf('/') + 1);
                hex += String.format("%02x", (reg == '*' ? 0 : reg - '0') << 3 | (key.endsWith("r") ? 0xc0 : 3));
            } else if (o.modrm && key.indexOf('_') < 0) {
                hex += "03";
            }
            assertSame(o, decode(hex, 32).opcode, key + ' ' + hex);
        }
    }

    // ---- against ndisasm ----

    @Test
    void recordedCorpusOfNdisasmAgrees() throws IOException {
        List<String> wrong = new ArrayList<>();
        int lines = 0;
        try (InputStream in = DecoderTest.class.getResourceAsStream("ndisasm.txt")) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.US_ASCII).split("\n")) {
                if (line.isBlank() || line.startsWith("#")) continue;
                String[] c = line.split(" ", 3);
                lines++;
                compare(wrong, c[1], Integer.parseInt(c[0]), new Ndisasm.Line(c[1].length() / 2, c[2]), c[2]);
            }
        }
        assertTrue(lines > 1500, "lines");
        assertEquals(List.of(), wrong);
    }

    private void compare(List<String> wrong, String hex, int bits, Ndisasm.Line theirs, String text) {
        Insn i = decode(hex, bits);
        String ours = Ndisasm.normal(Disassembler.text(i, 0), 0);
        if (i.length != theirs.length() || !ours.equals(text)) {
            wrong.add(bits + " " + hex + ": " + theirs.length() + " " + text + " / " + i.length + " " + ours);
        }
    }

    @Test
    void ndisasmAgreesOnRandomBytes() throws IOException, InterruptedException {
        Path program = Ndisasm.find();
        assumeTrue(program != null, "ndisasm is not installed; the recorded corpus was compared instead");
        for (int bits = 16; bits <= 32; bits += 16) {
            int count = 6000;
            byte[] slots = randomSlots(count, bits);
            List<Ndisasm.Line> theirs = Ndisasm.run(program, slots, bits);
            List<String> wrong = new ArrayList<>();
            int known = 0;
            for (int n = 0; n < count; n++) {
                Ndisasm.Line l = theirs.get(n);
                if (!Ndisasm.known(l)) continue;
                known++;
                int at = n * Ndisasm.SLOT;
                Insn i = decoder.decode(slots, at, 15, bits);
                if (i.opcode == OpcodeTable.UNDEFINED && narrower(slots, at)) continue;
                compare(wrong, HexFormat.of().formatHex(slots, at, at + 16), bits, l, Ndisasm.normal(l.text(), at));
            }
            assertTrue(known > count / 2, "known " + known);
            assertEquals(List.of(), wrong);
        }
    }

    /** Prefixes and control registers that ndisasm lets pass and a processor does not. */
    private static boolean narrower(byte[] b, int at) {
        for (int n = at; n < at + 4; n++) {
            if ((b[n] & 0xff) == 0xf0) return true;
            if (b[n] == 0x0f && (b[n + 1] & 0xfd) == 0x20) return true;
            if ((b[n] & 0xff) == 0x8e || b[n] == 0x0f && b[n + 1] == 0x77) return true;
        }
        return false;
    }

    private static byte[] randomSlots(int count, int bits) {
        Random r = new Random(bits);
        byte[] slots = new byte[count * Ndisasm.SLOT];
        Arrays.fill(slots, (byte) 0x90);
        int[] prefixes = {0x66, 0x67, 0xf3, 0xf2, 0x2e, 0x65};
        for (int n = 0; n < count; n++) {
            int at = n * Ndisasm.SLOT, end = at + 16;
            if (r.nextInt(3) == 0) slots[at++] = (byte) prefixes[r.nextInt(prefixes.length)];
            if (r.nextInt(3) == 0) slots[at++] = 0x0f;
            while (at < end) slots[at++] = (byte) r.nextInt();
        }
        return slots;
    }
}
