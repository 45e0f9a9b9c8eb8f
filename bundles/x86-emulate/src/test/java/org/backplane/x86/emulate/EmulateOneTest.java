package org.backplane.x86.emulate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.EmulateOps;
import org.backplane.kvm.spi.cpu.Emulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What {@code emulateOne} asks of its callbacks, what it makes of their answers, and that an instruction which a callback does not let
 * through leaves the registers as they were.
 */
class EmulateOneTest {
    private static final long CODE = 0x1000, DATA = 0x4000, GDT = 0x6000;
    private static final Set<String> MEMORY = Set.of("readStd", "writeStd", "readEmulated", "writeEmulated", "cmpxchgEmulated");

    private TestMachine m;

    /** Memory callbacks in order: name, gva and size. The fetch is not among them. */
    private final List<String> calls = new ArrayList<>();

    /** Which of these calls is refused, from 1 on, and with what answer; 0 for none. */
    private int refused, answer;

    @BeforeEach
    void create() {
        m = new TestMachine(0x10000).flat32();
        m.s.idtLimit = 0;
        m.s.gdtBase = GDT;
        m.s.gdtLimit = 0xff;
        m.put64(GDT + 0x10, 0x00cf92000000ffffL); // flat data, not accessed
        for (int g = 0; g < 8; g++) if (g != CpuState.RSP) m.s.gpr[g] = 0x1111 * (g + 1);
        m.s.gpr[CpuState.RSI] = DATA;
        m.s.gpr[CpuState.RDI] = DATA + 0x100;
        m.s.gpr[CpuState.RBP] = 0x9100;
        m.s.setRflags(2 | CpuState.ARITHMETIC_FLAGS);
    }

    @AfterEach
    void close() {
        m.close();
    }

    private EmulateOps ops() {
        TestOps under = new TestOps(m);
        return (EmulateOps) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {EmulateOps.class}, (proxy, method, args) -> {
            if (MEMORY.contains(method.getName()) && (long) args[1] >>> 12 != CODE >>> 12) {
                calls.add(method.getName() + " " + Long.toHexString((long) args[1]) + " " + args[2]);
                if (calls.size() == refused) {
                    m.v.faultVector = 14;
                    m.v.faultError = 2;
                    return answer;
                }
            }
            try {
                return method.invoke(under, args);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    private int one(String hex) {
        calls.clear();
        m.code(CODE, hex);
        return m.emulator.emulateOne(m.v, ops());
    }

    private void assertCalls(String hex, String... expected) {
        assertEquals(Emulator.CONTINUE, one(hex), hex);
        assertEquals(List.of(expected), calls, hex);
    }

    // ---- which callback ----

    @Test
    void dataMayBeADeviceOrAPageTable() {
        assertCalls(/* mov eax,[4000] */ "a100400000", "readEmulated 4000 4");
        assertCalls(/* mov [4000],eax */ "a300400000", "writeEmulated 4000 4");
        assertCalls(/* movsw */ "66a5", "readEmulated 4000 2", "writeEmulated 4100 2");
    }

    @Test
    void descriptorTablesAreStd() {
        m.s.gpr[CpuState.RAX] = 0x10;
        assertCalls(/* mov ds,ax */ "8ed8", "readStd 6010 8", "writeStd 6015 1");
        assertEquals(0x93, m.get8(GDT + 0x15), "the accessed bit");
    }

    @Test
    void fetchIsStd() {
        List<String> fetches = new ArrayList<>();
        TestOps under = new TestOps(m);
        EmulateOps ops = (EmulateOps) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {EmulateOps.class}, (proxy, method, args) -> {
            fetches.add(method.getName());
            return method.invoke(under, args);
        });
        m.code(CODE, "90");
        assertEquals(Emulator.CONTINUE, m.emulator.emulateOne(m.v, ops));
        assertEquals(Set.of("readStd"), Set.copyOf(fetches));
    }

    @Test
    void compareAndExchangeIsOneCallback() {
        m.put32(DATA, 0x55);
        m.s.gpr[CpuState.RAX] = 0x55;
        m.s.gpr[CpuState.RCX] = 0x66;
        assertEquals(Emulator.CONTINUE, one(/* lock cmpxchg [4000],ecx */ "f00fb10d00400000"));
        assertTrue(calls.contains("cmpxchgEmulated 4000 4") && !calls.contains("writeEmulated 4000 4"), calls.toString());
        assertEquals(0x66, m.get32(DATA));
        assertTrue(m.s.zf());
    }

    // ---- answers ----

    @Test
    void compareAndExchangeThatFailedGivesWhatWasFound() {
        m.put32(DATA, 0x77);
        m.s.gpr[CpuState.RAX] = 0x55;
        assertEquals(Emulator.CONTINUE, one("f00fb10d00400000"));
        assertEquals(0x77, m.reg(CpuState.RAX));
        assertEquals(0x77, m.get32(DATA));
        assertTrue(!m.s.zf());
    }

    /** The callback found another value than the read before it: somebody else wrote in between, and the guest sees that value. */
    @Test
    void compareAndExchangeBelievesTheCallbackAndNotAnEarlierRead() {
        m.put32(DATA, 0x55);
        m.s.gpr[CpuState.RAX] = 0x55;
        TestOps under = new TestOps(m);
        EmulateOps ops = (EmulateOps) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {EmulateOps.class}, (proxy, method, args) -> {
            if (method.getName().equals("cmpxchgEmulated")) m.put32(DATA, 0x99);
            return method.invoke(under, args);
        });
        m.code(CODE, "f00fb10d00400000");
        assertEquals(Emulator.CONTINUE, m.emulator.emulateOne(m.v, ops));
        assertEquals(0x99, m.reg(CpuState.RAX));
        assertEquals(0x99, m.get32(DATA));
        assertTrue(!m.s.zf());
    }

    @ParameterizedTest
    @ValueSource(ints = {Emulator.UNHANDLEABLE, Emulator.PROPAGATE_FAULT, Emulator.RETRY})
    void answerOfACallbackIsTheAnswerOfTheInstruction(int result) {
        refused = 1;
        answer = result;
        assertEquals(result, one("a100400000"));
        assertEquals(result, one("a300400000"));
        assertEquals(result, one("f00fb10d00400000"));
        m.s.gpr[CpuState.RAX] = 0x10;
        assertEquals(result, one("8ed8"));
        assertEquals(0x1000, m.s.rip);
    }

    // ---- registers ----

    /** Refuses the first, then the second, and so on, of the accesses of an instruction, until it gets through. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "50", // push eax
                "6a05", // push 5
                "9c", // pushf
                "60", // pusha
                "61", // popa
                "9d", // popf
                "58", // pop eax
                "5c", // pop esp
                "e800000000", // call
                "ff1500400000", // call [4000]
                "ff3500400000", // push [4000]
                "8f0500400000", // pop [4000]
                "8f0424", // pop [esp]
                "c3", // ret
                "c20800", // ret 8
                "c9", // leave
                "c8080000", // enter 8,0
                "c8080003", // enter 8,3
                "870500400000", // xchg [4000],eax
                "0fc10500400000", // xadd [4000],eax
                "ff0500400000", // inc [4000]
                "010500400000", // add [4000],eax
                "110500400000", // adc [4000],eax
                "f71d00400000", // neg [4000]
                "c1050040000003", // rol [4000],3
                "0fa50500400000", // shld [4000],eax,cl
                "0fab0500400000", // bts [4000],eax
                "0f920500400000", // setc [4000]
                "0fb10d00400000", // cmpxchg [4000],ecx
                "0fc70d00400000", // cmpxchg8b [4000]
                "a4", // movsb
                "66a5", // movsw
                "ab", // stosd
                "ac", // lodsb
                "a6", // cmpsb
                "af", // scasd
                "d7", // xlat
                "620d00400000", // bound ecx,[4000]
                "c50500400000", // lds eax,[4000]
                "8e1d00400000", // mov ds,[4000]
                "1f", // pop ds
                "0f010500400000", // sgdt [4000]
                "0f011500400000", // lgdt [4000]
                "8c1d00400000" // mov [4000],ds
            })
    void registersAreCommittedOnlyWhenTheInstructionCompletes(String hex) {
        m.put32(DATA, 0x10);
        m.put32(DATA + 4, 0x10);
        m.put32(0x9000, 0x10);
        for (int result : new int[] {Emulator.PROPAGATE_FAULT, Emulator.RETRY, Emulator.UNHANDLEABLE}) {
            answer = result;
            m.s.rip = CODE;
            long[] gpr = m.s.gpr.clone();
            int[] selectors = m.s.segSel.clone();
            long[] bases = m.s.segBase.clone();
            long flags = m.s.rflags();
            long gdt = m.s.gdtBase;
            refused = 1;
            // A plain instruction makes a handful of accesses, PUSHA eight of them.
            for (; refused < 20; refused++) {
                int r = one(hex);
                if (calls.size() < refused) break;
                String where = hex + " answer " + result + " to access " + refused + " " + calls;
                assertEquals(result, r, where);
                assertArrayEquals(gpr, m.s.gpr, where);
                assertEquals(CODE, m.s.rip, where);
                assertEquals(flags, m.s.rflags(), where);
                assertArrayEquals(selectors, m.s.segSel, where);
                assertArrayEquals(bases, m.s.segBase, where);
                assertEquals(gdt, m.s.gdtBase, where);
            }
            assertTrue(refused > 1 && refused < 20, hex + ": " + calls);
            System.arraycopy(gpr, 0, m.s.gpr, 0, gpr.length);
            System.arraycopy(selectors, 0, m.s.segSel, 0, selectors.length);
            m.s.setRflags(flags);
            m.s.gdtBase = gdt;
            m.s.gdtLimit = 0xff;
            m.put32(DATA, 0x10);
            m.put32(DATA + 4, 0x10);
            m.put32(0x9000, 0x10);
        }
    }

    // ---- strings ----

    @Test
    void repeatedCompareEndsAtTheFirstDifference() {
        m.bytes(DATA, "0102030405").bytes(DATA + 0x100, "0102030905");
        m.s.gpr[CpuState.RCX] = 5;
        assertEquals(Emulator.CONTINUE, one(/* repe cmpsb */ "f3a6"));
        assertEquals(1, m.reg(CpuState.RCX));
        assertEquals(DATA + 4, m.reg(CpuState.RSI));
        assertEquals(DATA + 0x104, m.reg(CpuState.RDI));
        assertTrue(!m.s.zf() && m.s.cf(), "4 is below 9");
    }

    @Test
    void repeatedScanEndsAtTheFirstMatch() {
        m.bytes(DATA + 0x100, "0102030405");
        m.s.gpr[CpuState.RCX] = 5;
        m.s.gpr[CpuState.RAX] = 3;
        assertEquals(Emulator.CONTINUE, one(/* repne scasb */ "f2ae"));
        assertEquals(2, m.reg(CpuState.RCX));
        assertEquals(DATA + 0x103, m.reg(CpuState.RDI));
        assertTrue(m.s.zf());
    }

    @Test
    void repeatedInstructionGoesOnWhereItWasInterrupted() {
        m.bytes(DATA, "0102030405");
        m.s.gpr[CpuState.RCX] = 5;
        refused = 6;
        answer = Emulator.RETRY;
        assertEquals(Emulator.RETRY, one(/* rep movsb */ "f3a4"));
        assertEquals(CODE, m.s.rip);
        assertEquals(3, m.reg(CpuState.RCX), "two elements are done");
        assertEquals(DATA + 2, m.reg(CpuState.RSI));
        refused = 0;
        assertEquals(Emulator.CONTINUE, one("f3a4"));
        assertEquals(0, m.reg(CpuState.RCX));
        for (int i = 0; i < 5; i++) assertEquals(i + 1, m.get8(DATA + 0x100 + i));
        assertEquals(List.of("readEmulated 4002 1", "writeEmulated 4102 1"), calls.subList(0, 2));
    }
}
