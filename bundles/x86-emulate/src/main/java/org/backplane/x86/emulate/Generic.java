package org.backplane.x86.emulate;

import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.exec.Cpu;
import org.backplane.x86.isa.exec.Handler;
import org.backplane.x86.isa.exec.Semantics;

/** Elements for everything that has no form of its own: they call the instruction's handler. */
final class Generic {
    private Generic() {}

    /** An instruction that goes on to the next. */
    static final class Plain extends Op {
        private final Insn insn;
        private final Handler handler;

        Plain(Insn insn) {
            this.insn = insn;
            this.handler = Semantics.of(insn.mnemonic());
        }

        @Override
        void run(Cpu c) {
            c.at(insn);
            handler.run(c, insn);
        }
    }

    /** A near transfer: mode and segments stay as they are. */
    static final class Jump extends End {
        private final Insn insn;
        private final Handler handler;

        Jump(Insn insn) {
            this.insn = insn;
            this.handler = Semantics.of(insn.mnemonic());
        }

        @Override
        int run(Cpu c) {
            c.at(insn);
            handler.run(c, insn);
            return ANYWHERE;
        }
    }

    /** An instruction after which the world may be another: the run loop looks at everything again. */
    static final class Last extends End {
        private final Insn insn;
        private final Handler handler;
        private final boolean jumps;

        Last(Insn insn) {
            this.insn = insn;
            this.handler = Semantics.of(insn.mnemonic());
            this.jumps = insn.opcode.is(Opcode.JUMP);
        }

        @Override
        int run(Cpu c) {
            c.at(insn);
            handler.run(c, insn);
            if (!jumps) c.step();
            c.stop();
            return ANYWHERE;
        }
    }
}
