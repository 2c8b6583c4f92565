#!/bin/busybox sh
# First program in the virtual machine: loads what the disk needs, puts the checkout's sources on it and hands over.
# Runs from the initramfs, where there is only busybox.
/bin/busybox mkdir -p /proc /dev /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /modules/order); do
  [ ! -f "/modules/$module.ko" ] || /bin/busybox insmod "/modules/$module.ko"
done
/bin/busybox mount -t ext4 /dev/vda /root
# By the disk's own tar: busybox's knows whole seconds only, and the command line reads its bundles only beside sources that look untouched.
/bin/busybox chroot /root /usr/bin/tar -xf - -C /opt/slipway </sources.tar
/bin/busybox mount --move /dev /root/dev
/bin/busybox umount /proc
exec /bin/busybox switch_root /root /bin/sh /opt/slipway/scripts/v2/inside/boot.sh
