package org.backplane.x86.isa.exec;

import java.util.EnumMap;
import java.util.Map;
import org.backplane.x86.isa.Mnemonic;

/** Which handler executes which mnemonic: the one place that binds the opcode table to code. */
public final class Semantics {
    private static final Handler[] HANDLERS = new Handler[Mnemonic.values().length];

    static {
        Map<Mnemonic, Handler> map = new EnumMap<>(Mnemonic.class);
        integer(map);
        decimal(map);
        stackAndFlow(map);
        system(map);
        FpuHandlers.bind(map);
        MmxHandlers.bind(map);
        for (Mnemonic m : Mnemonic.values()) {
            Handler h = map.get(m);
            if (h == null) h = byPrefix(m);
            HANDLERS[m.ordinal()] = h;
        }
    }

    private Semantics() {}

    /** The handler of a mnemonic; every one has one. */
    public static Handler of(Mnemonic m) {
        return HANDLERS[m.ordinal()];
    }

    /** Families of which each member differs only in its condition. */
    private static Handler byPrefix(Mnemonic m) {
        String name = m.name();
        if (name.startsWith("CMOV")) return IntegerHandlers::cmov;
        if (name.startsWith("SET")) return IntegerHandlers::setcc;
        if (name.startsWith("J")) return FlowHandlers::jcc;
        throw new IllegalStateException("no handler for " + m);
    }

    private static void all(Map<Mnemonic, Handler> map, Handler h, Mnemonic... names) {
        for (Mnemonic m : names) map.put(m, h);
    }

    private static void integer(Map<Mnemonic, Handler> map) {
        map.put(Mnemonic.ADD, IntegerHandlers::add);
        map.put(Mnemonic.ADC, IntegerHandlers::adc);
        map.put(Mnemonic.SUB, IntegerHandlers::sub);
        map.put(Mnemonic.SBB, IntegerHandlers::sbb);
        map.put(Mnemonic.AND, IntegerHandlers::and);
        map.put(Mnemonic.OR, IntegerHandlers::or);
        map.put(Mnemonic.XOR, IntegerHandlers::xor);
        map.put(Mnemonic.CMP, IntegerHandlers::cmp);
        map.put(Mnemonic.TEST, IntegerHandlers::test);
        map.put(Mnemonic.INC, IntegerHandlers::inc);
        map.put(Mnemonic.DEC, IntegerHandlers::dec);
        map.put(Mnemonic.NOT, IntegerHandlers::not);
        map.put(Mnemonic.NEG, IntegerHandlers::neg);
        map.put(Mnemonic.MOV, IntegerHandlers::mov);
        map.put(Mnemonic.MOVZX, IntegerHandlers::movzx);
        map.put(Mnemonic.MOVSX, IntegerHandlers::movsx);
        map.put(Mnemonic.LEA, IntegerHandlers::lea);
        map.put(Mnemonic.XCHG, IntegerHandlers::xchg);
        map.put(Mnemonic.XADD, IntegerHandlers::xadd);
        map.put(Mnemonic.CMPXCHG, IntegerHandlers::cmpxchg);
        map.put(Mnemonic.CMPXCHG8B, IntegerHandlers::cmpxchg8b);
        map.put(Mnemonic.BSWAP, IntegerHandlers::bswap);
        map.put(Mnemonic.XLAT, IntegerHandlers::xlat);
        map.put(Mnemonic.NOP, IntegerHandlers::nop);
        map.put(Mnemonic.CBW, IntegerHandlers::cbw);
        map.put(Mnemonic.CWD, IntegerHandlers::cwd);
        map.put(Mnemonic.BSF, IntegerHandlers::bsf);
        map.put(Mnemonic.BSR, IntegerHandlers::bsr);
        map.put(Mnemonic.MUL, IntegerHandlers::mul);
        map.put(Mnemonic.IMUL, IntegerHandlers::imul);
        map.put(Mnemonic.DIV, IntegerHandlers::div);
        map.put(Mnemonic.IDIV, IntegerHandlers::idiv);
        all(map, IntegerHandlers::bitTest, Mnemonic.BT, Mnemonic.BTS, Mnemonic.BTR, Mnemonic.BTC);
        all(map, IntegerHandlers::shift, Mnemonic.ROL, Mnemonic.ROR, Mnemonic.RCL, Mnemonic.RCR, Mnemonic.SHL);
        all(map, IntegerHandlers::shift, Mnemonic.SHR, Mnemonic.SAR, Mnemonic.SHLD, Mnemonic.SHRD);
    }

    private static void decimal(Map<Mnemonic, Handler> map) {
        map.put(Mnemonic.DAA, DecimalHandlers::daa);
        map.put(Mnemonic.DAS, DecimalHandlers::das);
        map.put(Mnemonic.AAA, DecimalHandlers::aaa);
        map.put(Mnemonic.AAS, DecimalHandlers::aas);
        map.put(Mnemonic.AAM, DecimalHandlers::aam);
        map.put(Mnemonic.AAD, DecimalHandlers::aad);
        map.put(Mnemonic.SALC, DecimalHandlers::salc);
        map.put(Mnemonic.LAHF, DecimalHandlers::lahf);
        map.put(Mnemonic.SAHF, DecimalHandlers::sahf);
        map.put(Mnemonic.CLC, DecimalHandlers::clc);
        map.put(Mnemonic.STC, DecimalHandlers::stc);
        map.put(Mnemonic.CMC, DecimalHandlers::cmc);
        map.put(Mnemonic.CLD, DecimalHandlers::cld);
        map.put(Mnemonic.STD, DecimalHandlers::std);
    }

    private static void stackAndFlow(Map<Mnemonic, Handler> map) {
        map.put(Mnemonic.PUSH, StackHandlers::push);
        map.put(Mnemonic.POP, StackHandlers::pop);
        map.put(Mnemonic.PUSHA, StackHandlers::pusha);
        map.put(Mnemonic.POPA, StackHandlers::popa);
        map.put(Mnemonic.PUSHF, StackHandlers::pushf);
        map.put(Mnemonic.POPF, StackHandlers::popf);
        map.put(Mnemonic.ENTER, StackHandlers::enter);
        map.put(Mnemonic.LEAVE, StackHandlers::leave);
        map.put(Mnemonic.JMP, FlowHandlers::jmp);
        map.put(Mnemonic.CALL, FlowHandlers::call);
        map.put(Mnemonic.RET, FlowHandlers::ret);
        map.put(Mnemonic.JCXZ, FlowHandlers::jcxz);
        map.put(Mnemonic.BOUND, FlowHandlers::bound);
        all(map, FlowHandlers::loop, Mnemonic.LOOP, Mnemonic.LOOPE, Mnemonic.LOOPNE);
        all(map, FlowHandlers::undefined, Mnemonic.UNDEFINED, Mnemonic.UD0, Mnemonic.UD1, Mnemonic.UD2, Mnemonic.RSM);
        map.put(Mnemonic.TOO_LONG, FlowHandlers::tooLong);
        map.put(Mnemonic.JMPF, FarTransfer::jmp);
        map.put(Mnemonic.CALLF, FarTransfer::call);
        map.put(Mnemonic.RETF, FarTransfer::ret);
        map.put(Mnemonic.IRET, FarTransfer::iret);
        map.put(Mnemonic.INT, FarTransfer::int_);
        map.put(Mnemonic.INT3, FarTransfer::int3);
        map.put(Mnemonic.INT1, FarTransfer::int1);
        map.put(Mnemonic.INTO, FarTransfer::into);
        all(map, StringHandlers::run, Mnemonic.MOVS, Mnemonic.STOS, Mnemonic.LODS, Mnemonic.CMPS, Mnemonic.SCAS);
        all(map, StringHandlers::run, Mnemonic.INS, Mnemonic.OUTS);
    }

    private static void system(Map<Mnemonic, Handler> map) {
        map.put(Mnemonic.IN, PortHandlers::in);
        map.put(Mnemonic.OUT, PortHandlers::out);
        all(map, Segments::loadPointer, Mnemonic.LES, Mnemonic.LDS, Mnemonic.LSS, Mnemonic.LFS, Mnemonic.LGS);
        map.put(Mnemonic.LAR, Segments::lar);
        map.put(Mnemonic.LSL, Segments::lsl);
        map.put(Mnemonic.VERR, Segments::verr);
        map.put(Mnemonic.VERW, Segments::verw);
        map.put(Mnemonic.ARPL, Segments::arpl);
        map.put(Mnemonic.CLTS, SystemHandlers::clts);
        map.put(Mnemonic.LMSW, SystemHandlers::lmsw);
        map.put(Mnemonic.SMSW, SystemHandlers::smsw);
        map.put(Mnemonic.RDMSR, SystemHandlers::rdmsr);
        map.put(Mnemonic.WRMSR, SystemHandlers::wrmsr);
        map.put(Mnemonic.RDTSC, SystemHandlers::rdtsc);
        map.put(Mnemonic.RDPMC, SystemHandlers::rdpmc);
        map.put(Mnemonic.CPUID, SystemHandlers::cpuid);
        all(map, SystemHandlers::storeTable, Mnemonic.SGDT, Mnemonic.SIDT);
        all(map, SystemHandlers::loadTable, Mnemonic.LGDT, Mnemonic.LIDT);
        all(map, SystemHandlers::storeSelector, Mnemonic.SLDT, Mnemonic.STR);
        map.put(Mnemonic.LLDT, SystemHandlers::lldt);
        map.put(Mnemonic.LTR, SystemHandlers::ltr);
        map.put(Mnemonic.INVLPG, SystemHandlers::invlpg);
        map.put(Mnemonic.INVD, SystemHandlers::invd);
        map.put(Mnemonic.WBINVD, SystemHandlers::wbinvd);
        map.put(Mnemonic.VMCALL, VmxHandlers::vmcall);
        all(map, VmxHandlers::withoutOperands, Mnemonic.VMLAUNCH, Mnemonic.VMRESUME, Mnemonic.VMXOFF);
        all(map, VmxHandlers::withMemory, Mnemonic.VMCLEAR, Mnemonic.VMPTRLD, Mnemonic.VMPTRST, Mnemonic.VMXON);
        all(map, VmxHandlers::withMemory, Mnemonic.VMREAD, Mnemonic.VMWRITE, Mnemonic.INVEPT, Mnemonic.INVVPID);
        map.put(Mnemonic.MONITOR, SystemHandlers::monitor);
        map.put(Mnemonic.MWAIT, SystemHandlers::mwait);
        map.put(Mnemonic.XSETBV, SystemHandlers::xsetbv);
        map.put(Mnemonic.HLT, SystemHandlers::hlt);
        map.put(Mnemonic.PAUSE, SystemHandlers::pause);
        map.put(Mnemonic.CLI, SystemHandlers::cli);
        map.put(Mnemonic.STI, SystemHandlers::sti);
        map.put(Mnemonic.SYSENTER, SystemHandlers::sysenter);
        map.put(Mnemonic.SYSEXIT, SystemHandlers::sysexit);
    }
}
