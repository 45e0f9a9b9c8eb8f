package org.backplane.gdbstub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** Registers as gdb numbers and sees them. */
class RegisterLayoutTest {
    private final CpuState s = new CpuState();

    private RegisterLayout layout(boolean longMode) {
        s.reset();
        if (longMode) s.efer = CpuState.EFER_LME | CpuState.EFER_LMA;
        return RegisterLayout.of(s);
    }

    private static Register named(RegisterLayout l, String name) {
        return l.registers().stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void numbersAreThoseOfGdbsI386() {
        List<String> names = layout(false).registers().stream().map(Register::name).toList();
        assertEquals(
                List.of("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip", "eflags", "cs", "ss", "ds", "es", "fs", "gs", "st0"),
                names.subList(0, 17));
        assertEquals(List.of("fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"), names.subList(24, 32));
    }

    @Test
    void numbersInLongModeAreThoseOfGdbsX86_64() {
        List<String> names = layout(true).registers().stream().map(Register::name).toList();
        assertEquals(List.of("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8"), names.subList(0, 9));
        assertEquals(List.of("r15", "rip", "eflags", "cs"), names.subList(15, 19));
        assertEquals(List.of("xmm0", "xmm1"), names.subList(40, 42));
        assertEquals(List.of("mxcsr", "fs_base", "gs_base"), names.subList(56, 59));
    }

    @Test
    void descriptionIsXmlWithEveryRegisterOnceAndEveryTypeDeclared() throws Exception {
        for (boolean longMode : new boolean[] {false, true}) {
            RegisterLayout l = layout(longMode);
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
            Element target = factory.newDocumentBuilder()
                    .parse(new ByteArrayInputStream(l.xml().getBytes(StandardCharsets.UTF_8)))
                    .getDocumentElement();
            NodeList regs = target.getElementsByTagName("reg");
            assertEquals(l.registers().size(), regs.getLength());
            assertEquals(regs.getLength(), l.registers().stream().map(Register::name).distinct().count());
            for (int i = 0; i < regs.getLength(); i++) {
                Element e = (Element) regs.item(i);
                assertEquals(l.registers().get(i).name(), e.getAttribute("name"));
                String type = e.getAttribute("type");
                boolean predefined = List.of("int", "int32", "int64", "code_ptr", "data_ptr", "i387_ext").contains(type);
                assertTrue(predefined || l.xml().contains("id=\"" + type + "\""), type);
            }
        }
    }

    @Test
    void valuesAreInTheGuestsByteOrder() {
        RegisterLayout l = layout(false);
        s.gpr[CpuState.RBX] = 0x12345678;
        assertEquals("78563412", named(l, "ebx").read(s));
        assertTrue(named(l, "ebx").write(s, "efbeadde"));
        assertEquals(0xdeadbeefL, s.gpr[CpuState.RBX]);
        assertFalse(named(l, "ebx").write(s, "efbead"), "too short");
        s.fpTop = 6;
        s.fpMantissa[7] = 0x8000000000000000L;
        s.fpSignExp[7] = 0x3fff;
        assertEquals("0000000000000080ff3f", named(l, "st1").read(s));
    }

    @Test
    void tagWordTellsEmptyZeroSpecialAndValid() {
        RegisterLayout l = layout(false);
        s.fpEmpty = 0xf0;
        s.fpMantissa[1] = 0x8000000000000000L;
        s.fpSignExp[1] = 0x3fff;
        s.fpSignExp[2] = 0x7fff;
        s.fpMantissa[3] = 5;
        assertEquals("a1ff0000", named(l, "ftag").read(s));
        assertTrue(named(l, "ftag").write(s, "ffff0000"));
        assertEquals(0xff, s.fpEmpty);
    }

    @Test
    void selectorBringsItsBaseInRealModeAndIsRefusedInProtectedMode() {
        RegisterLayout l = layout(false);
        assertTrue(named(l, "ds").write(s, "34120000"));
        assertEquals(0x12340, s.segBase[CpuState.DS]);
        s.cr0 |= CpuState.CR0_PE;
        assertFalse(named(l, "ds").write(s, "08000000"));
        assertTrue(named(l, "ds").write(s, "34120000"), "what is there already");
    }

    @Test
    void whatChangesTheModeCannotBeWritten() {
        RegisterLayout l = layout(false);
        assertFalse(named(l, "cr0").write(s, "01000080"));
        assertTrue(named(l, "eflags").write(s, "02020200"));
        assertEquals(0x202, s.rflags(), "VM stays as it is");
    }
}
