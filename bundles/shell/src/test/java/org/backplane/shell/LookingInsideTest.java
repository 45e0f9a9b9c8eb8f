package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Registers and memory. */
class LookingInsideTest {
    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final CommandSession session = FakeSession.in(Path.of("."));
    private final CpuCommands cpu = new CpuCommands(directory);
    private final MemCommands mem = new MemCommands(directory);
    private FakeMachine machine;

    @BeforeEach
    void create() {
        machine = (FakeMachine) directory.create(session, "a", Map.of());
    }

    private String failure(FakeSession.Command c) {
        return assertThrows(CommandException.class, () -> output(c)).toString();
    }

    @Test
    void registersLookLikeThoseOfQemu() {
        CpuState s = machine.state;
        s.gpr[CpuState.RBX] = 0x12345678;
        s.setRflags(CpuState.IF | CpuState.ZF | CpuState.CF);
        String text = output(() -> cpu.regs(session, new String[0]));
        assertTrue(text.startsWith("EAX=00000000 EBX=12345678 ECX=00000000 EDX=00000600\n"), text);
        assertTrue(text.contains("EIP=0000fff0 EFL=00000243 [---Z--C IF] CPL=0 active 16-bit code"), text);
        assertTrue(text.contains("CS =f000 ffff0000 0000ffff 00009b00 real\n"), text);
        assertTrue(text.contains("CR0=60000010"), text);
    }

    @Test
    void segmentsOfProtectedModeTellTypeAndLevel() {
        CpuState s = machine.state;
        s.cr0 |= CpuState.CR0_PE;
        s.segAr[CpuState.CS] = 0xc0fb;
        s.segAr[CpuState.ES] = CpuState.AR_UNUSABLE;
        String text = output(() -> cpu.regs(session, new String[0]));
        assertTrue(text.contains("00c0fb00 DPL=3 CS32 [-RA]"), text);
        assertTrue(text.contains("00000000 unusable"), text);
    }

    @Test
    void memoryIsShownInTheFormatsOfQemu() {
        assertEquals("00001000: 0x00 0x01 0x02\n", output(() -> mem.x(session, new String[] {"/3xb", "0x1000"})));
        assertEquals("00001002: 0x0302 0x0504\n", output(() -> mem.x(session, new String[] {"/2hx", "0x1002"})));
        assertEquals("000010ff: -1\n", output(() -> mem.x(session, new String[] {"/db", "0x10ff"})));
        assertEquals("000010ff: 255\n", output(() -> mem.x(session, new String[] {"/ub", "0x10ff"})));
        assertEquals("00001041: 'A' 'B'\n", output(() -> mem.x(session, new String[] {"a", "/2c", "0x1041"})));
        assertEquals("00000000: 0x03020100\n", output(() -> mem.x(session, new String[] {"0"})));
        assertEquals("0000fff8: 0xfffefdfcfbfaf9f8\n", output(() -> mem.xp(session, new String[] {"/gx", "0xfff8"})));
    }

    @Test
    void linesHoldSixteenBytes() {
        assertEquals(
                "00000000: 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c\n00000010: 0x13121110\n",
                output(() -> mem.x(session, new String[] {"/5x", "0"})));
    }

    @Test
    void dumpShowsCharacters() {
        assertEquals(
                """
                00000038  38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47  |89:;<=>?@ABCDEFG|
                00000048  48 49 4a 4b                                       |HIJK|
                """,
                output(() -> mem.dump(session, new String[] {"0x38", "20"})));
    }

    @Test
    void physicalAndLinearAddressesAreNotTheSame() {
        assertEquals("00020000: 0xff\n", output(() -> mem.xp(session, new String[] {"/xb", "0x20000"})));
        assertTrue(failure(() -> mem.x(session, new String[] {"/xb", "0x20000"})).startsWith("20000 to 20000 is not mapped"));
        assertTrue(failure(() -> mem.dump(session, new String[] {"0x20000"})).contains("not mapped"));
        assertTrue(output(() -> mem.dump(session, new String[] {"-p", "0x20000", "1"})).startsWith("00020000  ff "));
    }

    @Test
    void addressesMayBeRegistersSumsAndSegments() {
        CpuState s = machine.state;
        s.gpr[CpuState.RSP] = 0x8000_1234L;
        s.gpr[CpuState.RSI] = 0x20;
        s.segBase[CpuState.DS] = 0x4000;
        assertEquals(0x80001238L, Address.parse("esp+4", s));
        assertEquals(0x1230, Address.parse("sp-4", s));
        assertEquals(0x4020, Address.parse("ds:si", s));
        assertEquals(0xffff0, Address.parse("0xf000:0xfff0", s));
        assertEquals(0xfffffff0L, Address.parse("eip", s));
        assertEquals(0xfffffff0L, Address.parse("cs:eip", s));
        assertEquals(100, Address.parse("100", s));
        for (String bad : new String[] {"", "foo", "1+", "0x", "1:2:3", "-"}) {
            assertThrows(CommandException.class, () -> Address.parse(bad, s), bad);
        }
    }

    @Test
    void badFormatsAreRefused() {
        for (String bad : new String[] {"/q", "/0x", "/5000x", "/xx", "/x/"}) {
            assertThrows(CommandException.class, () -> MemoryFormat.parse(bad), bad);
        }
        assertEquals(new MemoryFormat(1, 'x', 4), MemoryFormat.parse("/"));
        assertEquals(new MemoryFormat(7, 'i', 4), MemoryFormat.parse("/7i"));
    }

    @Test
    void disassemblyStartsAtTheNextInstruction() {
        machine.state.segBase[CpuState.CS] = 0;
        machine.state.rip = 0x1090;
        assertEquals("00001090: 90                     nop\n", output(() -> cpu.dis(session, new String[] {"eip", "1"})));
        String text = output(() -> mem.x(session, new String[] {"/2i", "0xfffe"}));
        assertTrue(text.endsWith("(continues on a page that is not mapped)\n") || text.contains("not mapped"), text);
    }
}
