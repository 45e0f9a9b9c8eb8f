package org.backplane.kvm.spi.boot;

import java.nio.file.Path;
import java.util.List;
import org.backplane.kvm.spi.CardFactory;
import org.backplane.kvm.spi.cpu.CpuState;
import org.osgi.annotation.versioning.ConsumerType;

/** A loader for a kind of kernel image ({@code -kernel}), as an OSGi service. Stateless. */
@ConsumerType
public interface BootLoader extends CardFactory {
    /** The image is of this loader's kind. Decides by magic numbers only: a damaged image of the kind is still recognised. */
    boolean recognises(byte[] image);

    /**
     * Puts the kernel into memory and sets the CPU up for its entry point. Called at every reset of the machine.
     *
     * @throws BootException if the image is damaged, does not fit into memory, …; the message names what and where
     */
    void load(Request request) throws BootException;

    /** What is to be booted, and where to. */
    interface Request {
        /** The kernel's file name, for messages. */
        Path kernelPath();

        byte[] kernel();

        /** Empty when there is none. */
        byte[] initrd();

        /** Kernel command line, ISO-8859-1. */
        String commandLine();

        /** The memory map that firmware would report (E820), ordered. */
        List<Range> memoryMap();

        /**
         * The kernel is to be entered in real mode after the firmware has run: {@link #cpu} stays in its reset state, and what the loader writes makes
         * the firmware start the kernel. A kernel that has no such entry is refused.
         */
        default boolean realModeEntry() {
            return false;
        }

        /** Writes guest memory. */
        void write(long gpa, byte[] bytes, int offset, int length);

        /** State of the boot CPU after reset, to be changed to the entry state. */
        CpuState cpu();
    }

    /**
     * A range of the memory map.
     *
     * @param type E820 type: 1 usable RAM, 2 reserved, 3 ACPI reclaimable, 4 ACPI NVS
     */
    record Range(long gpa, long length, int type) {}
}
