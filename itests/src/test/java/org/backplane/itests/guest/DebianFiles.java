package org.backplane.itests.guest;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What {@code scripts/fetch-guests} fetched, to where {@code BACKPLANE_GUESTS} or the system property {@code backplane.guests} says. */
final class DebianFiles {
    private static final Path DIRECTORY =
            Path.of(Optional.ofNullable(System.getenv("BACKPLANE_GUESTS")).orElseGet(() -> System.getProperty("backplane.guests", "")));

    static final Path KERNEL = DIRECTORY.resolve("debian12-i386/vmlinuz");

    /** Only there after {@code scripts/fetch-guests --all}; {@link #present} does not ask for it. */
    static final Path PAE_KERNEL = DIRECTORY.resolve("debian12-i386-pae/vmlinuz");

    static final Path INSTALLER = DIRECTORY.resolve("debian12-i386/initrd.gz");
    static final Path BUSYBOX = DIRECTORY.resolve("busybox-i386/busybox");
    static final Path INITRAMFS = DIRECTORY.resolve("busybox-i386/initramfs.cpio.gz");

    /**
     * The kernel tests its cryptography and looks for ISA Plug and Play cards for most of its way up; without both it is there in a fraction
     * of the time.
     */
    static final String QUICK = " cryptomgr.notests noisapnp";

    private DebianFiles() {}

    /** A command line as users write it in the tree, with the guests where they are here. */
    static String inPlace(String commandLine) {
        return commandLine.replace(".guests/", DIRECTORY + "/");
    }

    static boolean present() {
        return List.of(KERNEL, INSTALLER, BUSYBOX, INITRAMFS).stream().allMatch(Files::isRegularFile);
    }
}
