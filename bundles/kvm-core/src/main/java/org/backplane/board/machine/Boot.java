package org.backplane.board.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.Card.Kind;
import org.backplane.board.cards.CardRegistry;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.kvm.spi.boot.BootException;
import org.backplane.kvm.spi.boot.BootLoader;
import org.backplane.kvm.spi.boot.Firmware;
import org.backplane.kvm.spi.cpu.CpuState;

/**
 * What is in memory when the CPU comes out of reset: the firmware, and with {@code -kernel} a kernel that is entered directly.
 * Files are read once, when the machine is created, so that a bad one is reported then.
 */
final class Boot {
    private static final int MAX_FIRMWARE = 0x40000;

    private final MachineConfig config;
    private final byte[] firmware;
    private final byte[] kernel;
    private final byte[] initrd;
    private final BootLoader loader;

    Boot(MachineConfig config, CardRegistry cards) throws BoardException {
        this.config = config;
        kernel = config.kernel.isPresent() ? read("kernel", config.kernel.get()) : null;
        initrd = config.initrd.isPresent() ? read("initrd", config.initrd.get()) : new byte[0];
        loader = kernel == null ? null : loader(cards);
        firmware = firmware(cards);
        if (firmware == null && config.realModeKernel) {
            throw new BoardException("kernel-entry: 16 needs a BIOS, and there is no firmware card");
        }
        if (firmware == null && kernel == null) {
            throw new BoardException("bios: there is no firmware card, and no -kernel to boot without one");
        }
    }

    private static byte[] read(String key, Path path) throws BoardException {
        try {
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new BoardException(key + ": cannot read " + path + ": " + e.getMessage());
        }
    }

    private BootLoader loader(CardRegistry cards) throws BoardException {
        List<Card> loaders = cards.all().stream().filter(c -> c.kind() == Kind.LOADER).toList();
        for (Card c : loaders) {
            BootLoader l = (BootLoader) c.factory();
            if (l.recognises(kernel)) return l;
        }
        String known = loaders.isEmpty()
                ? "no loader card is there"
                : "known: " + String.join(", ", loaders.stream().map(Card::type).distinct().toList());
        throw new BoardException("kernel: " + config.kernel.get() + " is no kernel that can be booted (" + known + ")");
    }

    private byte[] firmware(CardRegistry cards) throws BoardException {
        Optional<Card> named = config.bios.flatMap(b -> cards.newest(Kind.FIRMWARE, b));
        byte[] image;
        if (config.bios.isPresent() && named.isEmpty()) {
            Path path = Path.of(config.bios.get());
            if (!Files.isRegularFile(path)) {
                throw new BoardException("bios: '" + config.bios.get() + "' is neither a file nor a firmware card");
            }
            image = read("bios", path);
        } else {
            Optional<Card> card = named.or(() -> cards.all().stream()
                    .filter(c -> c.kind() == Kind.FIRMWARE)
                    .min(Comparator.comparing(Card::type)));
            if (card.isEmpty()) return null;
            image = ((Firmware) card.get().factory()).image();
        }
        if (image.length == 0 || image.length % 4096 != 0 || image.length > MAX_FIRMWARE) {
            throw new BoardException("bios: an image must be a multiple of 4 KiB and at most 256 KiB, this one has " + image.length + " bytes");
        }
        return image;
    }

    /** Fills memory and sets the boot CPU up, after the CPU and the devices were reset. */
    void load(KvmVm vm, CpuState cpu) throws BoardException {
        if (firmware != null) vm.memory().write(PcLayout.ROM_AREA_END - firmware.length, firmware, 0, firmware.length);
        if (kernel == null) return;
        try {
            loader.load(new Request(vm, cpu));
        } catch (BootException e) {
            throw new BoardException(e.getMessage());
        } catch (IndexOutOfBoundsException e) {
            throw new BoardException("kernel: " + config.kernel.get() + " does not fit: " + e.getMessage());
        }
    }

    private final class Request implements BootLoader.Request {
        private final KvmVm vm;
        private final CpuState cpu;

        Request(KvmVm vm, CpuState cpu) {
            this.vm = vm;
            this.cpu = cpu;
        }

        @Override
        public Path kernelPath() {
            return config.kernel.get();
        }

        @Override
        public byte[] kernel() {
            return kernel;
        }

        @Override
        public byte[] initrd() {
            return initrd;
        }

        @Override
        public String commandLine() {
            return config.append;
        }

        @Override
        public List<BootLoader.Range> memoryMap() {
            return PcLayout.memoryMap(config.ram);
        }

        @Override
        public boolean realModeEntry() {
            return config.realModeKernel;
        }

        @Override
        public void write(long gpa, byte[] bytes, int offset, int length) {
            vm.memory().write(gpa, bytes, offset, length);
        }

        @Override
        public CpuState cpu() {
            return cpu;
        }
    }
}
