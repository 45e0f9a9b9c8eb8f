package org.backplane.shell;

import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.Machine;
import org.backplane.kvm.spi.cpu.CpuState;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Looking into memory: linear addresses through the guest's tables, or physical ones. */
@Component(
        service = MemCommands.class,
        property = {
            "osgi.command.scope=mem",
            "osgi.command.function=dump",
            "osgi.command.function=x",
            "osgi.command.function=xp"
        })
public final class MemCommands {
    private static final String DUMP = "[MACHINE] [-p] ADDRESS [LENGTH]";
    private static final String X = "[MACHINE] [/FORMAT] ADDRESS";
    private static final int DUMP_LENGTH = 128, DUMP_LIMIT = 1 << 20;

    private final MachineDirectory directory;

    @Activate
    public MemCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Example({"mem:dump esp 64 -- 64 bytes of the stack", "mem:dump -p 0xb8000 160 -- the first line of the text screen"})
    @Descriptor("dumps memory with its characters; -p for a physical address")
    public void dump(CommandSession session, @Descriptor(DUMP) String[] args) {
        Arguments a = new Arguments("mem:dump", DUMP, args);
        boolean physical = a.flag("-p");
        Machine m = directory.machine(session, a, 1);
        long address = Address.parse(a.take(), m.cpu(0));
        int length = a.left() > 0 ? Arguments.count(a.take(), DUMP_LIMIT) : DUMP_LENGTH;
        a.end();
        MemoryFormat.dump(address, physical ? m.readPhysical(address, length) : linear(m, address, length), System.out);
    }

    private static byte[] linear(Machine m, long address, int length) {
        return m.readLinear(0, address, length).orElseThrow(() -> new CommandException(String.format(
                "%x to %x is not mapped in the guest's tables (mmu:walk shows them; mem:xp and mem:dump -p take physical addresses)", address,
                address + length - 1)));
    }

    @Example({"mem:x /8i eip -- eight instructions", "mem:x /4wx ds:si -- four words of 32 bits"})
    @Descriptor("shows memory at a linear address; FORMAT is COUNT, one of x d u o c i, one of b h w g: /16xb")
    public void x(CommandSession session, @Descriptor(X) String[] args) {
        show(session, new Arguments("mem:x", X, args), false);
    }

    @Example("mem:xp /4wx cr3 -- the first entries of the topmost page table")
    @Descriptor("shows memory at a physical address, in the format of mem:x")
    public void xp(CommandSession session, @Descriptor(X) String[] args) {
        show(session, new Arguments("mem:xp", X, args), true);
    }

    private void show(CommandSession session, Arguments a, boolean physical) {
        Machine m = directory.machine(session, a, 1);
        MemoryFormat format = a.peek().startsWith("/") ? MemoryFormat.parse(a.take()) : MemoryFormat.DEFAULT;
        CpuState s = m.cpu(0);
        long address = Address.parse(a.take(), s);
        a.end();
        if (format.format() == 'i') {
            Disassembly.Reader memory = physical ? m::readPhysical : Disassembly.linear(m);
            Disassembly.print(memory, address, physical ? 0 : s.segBase[CpuState.CS], s.codeBits(), format.count(), System.out);
            return;
        }
        format.print(address, physical ? m.readPhysical(address, format.bytes()) : linear(m, address, format.bytes()), System.out);
    }
}
