"""Photo -> label map: BiSeNet, 19 CelebAMask-HQ classes at 512x512."""
