package org.backplane.x86.emulate;

import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Mnemonic;
import org.backplane.x86.isa.exec.Cpu;

/** Chooses the end for a near transfer, and fuses a comparison with the conditional jump after it. */
final class HotEnds {
    private static final int NEEDED = Cpu.FLAT | Cpu.STACK32;

    private HotEnds() {}

    private static boolean flat(Insn i, int mode) {
        return (mode & NEEDED) == NEEDED && (mode & Cpu.CODE64) == 0 && i.operandSize == 4;
    }

    private static boolean conditional(Insn i) {
        int b = i.opcodeByte;
        return i.kind0 == Insn.REL && ((b & 0xf0) == 0x70 || (b & 0xf0) == 0x80) && i.mnemonic() != Mnemonic.JMP;
    }

    /** One end for CMP or TEST and the jump after it, or null. */
    static End fused(Insn before, Insn jump, int mode) {
        if (before == null || !flat(jump, mode) || !conditional(jump)) return null;
        int cc = jump.opcodeByte & 15;
        boolean cmp = before.mnemonic() == Mnemonic.CMP;
        if (!cmp && before.mnemonic() != Mnemonic.TEST) return null;
        if (!CompareJump.relational(cc) || before.size0 == 2) return null;
        return CompareJump.of(before, jump, mode, cmp);
    }

    static End of(Insn i, int mode) {
        End e = flat(i, mode) ? choose(i, mode) : null;
        return (e != null ? e : new Generic.Jump(i)).at(i);
    }

    private static End choose(Insn i, int mode) {
        if (conditional(i)) return Jumps.conditional(i);
        return switch (i.mnemonic()) {
            case JMP -> switch (i.kind0) {
                case Insn.REL -> new Jumps.Jump(i);
                case Insn.REG -> new Jumps.JumpR(i);
                default -> new Jumps.JumpM(i, mode);
            };
            case CALL -> switch (i.kind0) {
                case Insn.REL -> new Jumps.Call(i);
                case Insn.REG -> new Jumps.CallR(i);
                default -> new Jumps.CallM(i, mode);
            };
            case RET -> new Jumps.Return(i);
            default -> null;
        };
    }
}
